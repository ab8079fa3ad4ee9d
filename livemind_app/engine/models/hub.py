"""The HuggingFace hub: one published file of a catalogue model, or a whole model of the user's choice.

The hub client retries for half a minute where no hub can be reached. So the hub is asked first, once and
with a time limit, and only then left to download, which resumes what an earlier run began.
"""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from logging import ERROR
from pathlib import Path
from typing import TypeVar

from livemind_app.engine.models.catalogue import Entry
from livemind_app.engine.models.progress import Report, sizes, watching
from livemind_app.errors import (
    ChecksumMismatch,
    Coded,
    DownloadFailed,
    InsufficientSpace,
    ModelError,
    UnknownModel,
)

T = TypeVar("T")
PATIENCE_S = 4.0  # for the first answer; name look-ups and dead addresses can take far longer
WANTED = ["*.safetensors", "*.json", "*.jinja", "*.txt", "tokenizer.model"]  # never pickles, never code
TOKENIZER = ["tokenizer*", "config.json", "*.jinja", "special_tokens_map.json", "added_tokens.json"]
UNWANTED = ["*/*", "consolidated*"]  # transformers loads what lies at the top


def from_hub(model: Entry, work: Path, report: Report) -> Path:
    """The published file by its official name; its checksum is compared before a byte is fetched."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    url = hf_hub_url(model.hub_repo, model.file)
    with _hub_errors(model.hub_repo):
        remote = _ask(lambda: get_hf_file_metadata(url, timeout=PATIENCE_S))
        if remote.etag and len(remote.etag) == len(model.sha256) and remote.etag != model.sha256:
            raise ChecksumMismatch(f"the hub's {model.file} has SHA-256 {remote.etag}, not {model.sha256}")
        with watching(
            lambda: max(sizes(work), default=0), model.bytes, f"{model.name}: from the hub", report
        ):
            revision = remote.commit_hash
            return Path(hf_hub_download(model.hub_repo, model.file, revision=revision, local_dir=work))


def snapshot(repo: str, report: Report) -> Path:
    """A model's safetensors and tokenizer in the hub client's own cache; what is there needs no network."""
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    def download(*, local: bool) -> Path:
        kept = snapshot_download(
            repo, allow_patterns=WANTED, ignore_patterns=UNWANTED, local_files_only=local
        )
        return Path(kept)

    with _hub_errors(repo):
        with suppress(LocalEntryNotFoundError):
            if _is_whole(kept := download(local=True)):
                return kept
        cache, wanted = _cache_of(repo), _wanted(repo)
        total = sum(wanted.values())
        _require_space(repo, cache, total)
        with watching(lambda: sum(sizes(cache)), total, Coded("from_hub", f"{repo}: from the hub"), report):
            for name in wanted:  # the snapshot's own threads would keep a server that is stopped alive
                hf_hub_download(repo, name)
            return download(local=False)


def tokenizer_snapshot(repo: str) -> Path:
    """The same without weights, for a model that is computed elsewhere."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    def download(*, local: bool) -> Path:
        return Path(snapshot_download(repo, allow_patterns=TOKENIZER, local_files_only=local))

    with _hub_errors(repo):
        with suppress(LocalEntryNotFoundError):
            if _has_tokenizer(kept := download(local=True)):
                return kept
        _ask(lambda: HfApi().model_info(repo, timeout=PATIENCE_S))  # fails fast where a download would hang
        return download(local=False)


def _is_whole(folder: Path) -> bool:
    """Other programs, and older hub clients, leave parts of a model in the same cache without saying so."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    else:
        shards = {path.name for path in folder.glob("*.safetensors")}
    files = ["config.json", *shards]
    return bool(shards) and all((folder / name).is_file() for name in files) and _has_tokenizer(folder)


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json"))


def _cache_of(repo: str) -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    cache = Path(HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _wanted(repo: str) -> dict[str, int]:
    """Names and bytes of what a snapshot would fetch; a model that has only pickled weights is refused."""
    from huggingface_hub import HfApi

    info = _ask(lambda: HfApi().model_info(repo, files_metadata=True, timeout=PATIENCE_S))
    files = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    wanted = [name for name in files if _matches(name, WANTED) and not _matches(name, UNWANTED)]
    if not any(name.endswith(".safetensors") for name in wanted):
        raise ModelError(f"{repo} has no safetensors weights; pickled or quantized files are not loaded")
    return {name: files[name] for name in wanted}


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _require_space(repo: str, cache: Path, total: int) -> None:
    needed, free = total - sum(sizes(cache)), shutil.disk_usage(cache).free
    if needed > free:
        raise InsufficientSpace(f"{repo} needs {needed} bytes more; {cache} has {free} bytes free")


def _ask(question: Callable[[], T]) -> T:
    """The answer, or TimeoutError: a thread is left behind rather than waited for."""
    answers: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            answers.append(question())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="livemind-hub", daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError(f"no answer in {PATIENCE_S:.0f} s")
    return answers[0]


@contextmanager
def _hub_errors(repo: str) -> Iterator[None]:
    """Whatever the client raises becomes one of our errors, and it keeps its bars and retries to itself."""
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        with _quiet():
            yield
    except ModelError:
        raise
    except GatedRepoError as error:
        raise DownloadFailed(f"{repo} asks for an account: accept its terms, then `hf auth login`") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UnknownModel(f"the hub has no model {repo!r}, or it is private") from error
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise DownloadFailed(f"the hub did not give {repo}: {reason or type(error).__name__}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    from huggingface_hub.utils import logging
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    verbosity, bars = logging.get_verbosity(), not are_progress_bars_disabled()
    logging.set_verbosity(ERROR)
    disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            enable_progress_bars()
