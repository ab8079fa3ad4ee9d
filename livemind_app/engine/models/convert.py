"""From the published GGUF file to a folder that loads in seconds: bf16 safetensors, tokenizer, chat template.

The whole model is in memory once, as bf16; the file itself stays where it is.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from livemind_app.engine.models import store
from livemind_app.engine.models.catalogue import Entry
from livemind_app.engine.models.pretrained import quiet, read_network, read_tokenizer
from livemind_app.engine.models.progress import Report, silent, sizes, watching
from livemind_app.errors import Coded, ModelError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SAME_HEAD = 0.15  # relative distance; two quantizations of one matrix are within 0.08, two matrices beyond 1
ROWS = 8192  # compared at a time, so that the comparison needs no second copy


def convert(model: Entry, file: Path, report: Report = silent) -> Path:
    """Write the folder that `load` reads. The caller holds the model's lock."""
    partial, final = store.partial(model), store.folder(model) / "bf16"
    store.drop_partial(model)
    partial.mkdir()
    what = Coded("converting", f"{model.name}: converting, once")
    with quiet(), _no_bar(), watching(lambda: sum(sizes(partial)), model.converted_bytes, what, report):
        parameters = _write(file, partial)
    if parameters != model.parameters:
        raise ModelError(f"{file} became {parameters} parameters, not the {model.parameters} of {model.name}")
    _write_manifest(model, partial)
    store.publish(partial, final)
    return final


def _write(file: Path, target: Path) -> int:
    """Weights and tokenizer into `target`; returns how many parameters were written."""
    tokenizer = read_tokenizer(file.parent, gguf_file=file.name)
    network = _dequantize(file)
    tie_head(network)
    _stop_at_every_end(network, tokenizer)
    _write_tokenizer(tokenizer, target)
    network.save_pretrained(target)
    return sum(weights.numel() for weights in network.parameters())


def _write_tokenizer(tokenizer: "PreTrainedTokenizerBase", target: Path) -> None:
    """With added tokens in its settings, as on the hub: else transformers reads the vocabulary twice."""
    tokenizer.save_pretrained(target)
    file = target / "tokenizer_config.json"
    settings = json.loads(file.read_text("utf-8"))
    added = {id_: token.__getstate__() for id_, token in tokenizer.added_tokens_decoder.items()}
    file.write_text(json.dumps(settings | {"added_tokens_decoder": added}, indent=2) + "\n", "utf-8")


def _dequantize(file: Path) -> "PreTrainedModel":
    import torch
    from transformers import GgufConfig

    # Unless told to dequantize, transformers counts the model as quantized and refuses to save it.
    plain = GgufConfig(dequantize=True)
    return read_network(file.parent, gguf_file=file.name, dtype=torch.bfloat16, quantization_config=plain)


@contextmanager
def _no_bar() -> Iterator[None]:
    """transformers' GGUF reader draws a bar of its own, which no setting turns off."""
    from transformers import modeling_gguf_pytorch_utils as reader

    bar = reader.tqdm
    reader.tqdm = lambda items, **_: items
    try:
        yield
    finally:
        reader.tqdm = bar


def tie_head(network: "PreTrainedModel") -> None:
    """Let embedding and head share one matrix again where the file stores it twice.

    Published files hold the two at different precisions. The head's is the finer, so it serves both.
    """
    embedding, head = network.get_input_embeddings(), network.get_output_embeddings()
    if head is None or embedding.weight is head.weight:
        return
    if _distance(embedding.weight, head.weight) > SAME_HEAD:
        return
    embedding.weight = head.weight
    network.config.tie_word_embeddings = True
    network.tie_weights()


def _distance(a: "torch.Tensor", b: "torch.Tensor") -> float:
    """Norm of a - b relative to the norm of b; infinite if the shapes differ."""
    if a.shape != b.shape:
        return float("inf")
    apart = size = 0.0
    for start in range(0, len(a), ROWS):
        x, y = (matrix[start : start + ROWS].detach().float() for matrix in (a, b))
        apart += float((x - y).square().sum())
        size += float(y.square().sum())
    return (apart / size) ** 0.5 if size else float("inf")


def _stop_at_every_end(network: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
    """GGUF names one end token; these models also end with <|endoftext|>, as their own configuration says."""
    ends = {tokenizer.eos_token_id, tokenizer.get_vocab().get("<|endoftext|>")}
    network.generation_config.eos_token_id = sorted(ends - {None})


def _write_manifest(model: Entry, target: Path) -> None:
    """Written last: its presence says that the folder is whole."""
    manifest = {
        "format": store.FORMAT,
        "model": model.name,
        "source": model.file,
        "sha256": model.sha256,
        "dtype": "bfloat16",
        "parameters": model.parameters,
        "versions": {package: version(package) for package in ("torch", "transformers", "gguf")},
    }
    (target / store.MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
