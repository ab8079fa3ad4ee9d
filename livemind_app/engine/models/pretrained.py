"""transformers' loaders, made quiet, offline and safe: no pickles, no code that a model brings along."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from livemind_app.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SAFE = {"local_files_only": True, "trust_remote_code": False}
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
TEMPLATE = "chat_template.jinja"

_shared: "WeakValueDictionary[str, PreTrainedTokenizerBase]" = WeakValueDictionary()


def read_tokenizer(folder: Path, **options: Any) -> "PreTrainedTokenizerBase":
    """A tokenizer that can render a chat, or ModelError."""
    from transformers import AutoTokenizer

    with _reading(folder):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, **SAFE, **options)
    if not tokenizer.chat_template:
        raise ModelError(f"{folder} has no chat template; choose an instruction-tuned model")
    return tokenizer


def share_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """One vocabulary for models of one family: reading it takes about a second. Not to be changed."""
    template = folder / TEMPLATE  # the only part in which they tend to differ
    if not template.is_file() or not (folder / TOKENIZER_FILES[0]).is_file():
        return read_tokenizer(folder)
    with _reading(folder):
        key = _fingerprint(folder)
        known = _shared.get(key)
        if known is not None:
            tokenizer = copy(known)
            tokenizer.chat_template = template.read_text(encoding="utf-8")
            return tokenizer
    tokenizer = _shared[key] = read_tokenizer(folder)
    return tokenizer


def _fingerprint(folder: Path) -> str:
    """Of what decides on a vocabulary: its files, and the class that the kind of model stands for."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(str(config.get("model_type")).encode())
    for name in TOKENIZER_FILES:
        file = folder / name
        digest.update(hashlib.sha256(file.read_bytes()).digest() if file.is_file() else b"none")
    return digest.hexdigest()


def read_network(folder: Path, **options: Any) -> "PreTrainedModel":
    """The model itself, in evaluation mode."""
    from transformers import AutoModelForCausalLM

    with _reading(folder):
        network: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            folder, attn_implementation="sdpa", use_safetensors=True, **SAFE, **options
        )
    return network


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """transformers raises many kinds of errors for files it cannot read; users get one."""
    try:
        with quiet():
            yield
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"{folder} does not load: {reason or type(error).__name__}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and no log lines of transformers while the block runs."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
