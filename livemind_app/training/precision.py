"""What the steps of a training compute in; what is learned is kept in fp32."""

import torch

from livemind_app.errors import ConfigError

DTYPES = ("auto", "bfloat16", "float32")


def chosen(name: str) -> torch.dtype | None:
    """Of an option `--dtype`; None is `auto`: see `best`. Raises ConfigError for any other name."""
    if name not in DTYPES:
        raise ConfigError(f"dtype {name!r} is none of {', '.join(DTYPES)}")
    return None if name == "auto" else getattr(torch, name)


def best(device: str) -> torch.dtype:
    """In which large products are faster here.

    Intel's bf16 without AMX is half as fast as its fp32 (measured on a Xeon: 70 against 130 GFLOP/s a core),
    AMD's twice as fast (EPYC: 180 against 80).
    """
    if device == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        features = torch.cpu.get_capabilities()
        amd = str(features.get("cpu_name", "")).startswith("AMD")
        fast = bool(features.get("amx_bf16") or (features.get("avx512_bf16") and amd))
    return torch.bfloat16 if fast else torch.float32
