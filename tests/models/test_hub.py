"""The hub's client is replaced; what it is asked, and what becomes of its answers, is ours."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import errors

from livemind_app.engine.models import hub
from livemind_app.engine.models.catalogue import Entry
from livemind_app.engine.models.prepare import prepare
from livemind_app.engine.models.progress import silent
from livemind_app.errors import ChecksumMismatch, DownloadFailed, InsufficientSpace, ModelError, UnknownModel

COMMIT = "0123456789012345678901234567890123456789"


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch, fake: Entry) -> SimpleNamespace:
    answer = SimpleNamespace(etag=fake.sha256, commit_hash=COMMIT)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", lambda url, timeout: answer)
    return answer


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []

    def download(repo: str, file: str, **options: Any) -> str:
        asked.append({"repo": repo, "file": file, **options})
        return str(Path(options["local_dir"]) / file)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    return asked


def test_the_official_file_is_asked_for_at_one_commit(
    fake: Entry, metadata: SimpleNamespace, downloads: list[dict[str, Any]], tmp_path: Path
) -> None:
    assert hub.from_hub(fake, tmp_path, silent) == tmp_path / "fake.gguf"
    assert downloads == [
        {"repo": "someone/fake", "file": "fake.gguf", "revision": COMMIT, "local_dir": tmp_path}
    ]


def test_another_checksum_is_noticed_before_the_download(
    fake: Entry, metadata: SimpleNamespace, downloads: list[dict[str, Any]], tmp_path: Path
) -> None:
    metadata.etag = "0" * 64
    with pytest.raises(ChecksumMismatch, match=f"{'0' * 64}, not {fake.sha256}"):
        hub.from_hub(fake, tmp_path, silent)
    assert downloads == []


def test_a_hub_that_does_not_answer_is_given_up_soon(
    fake: Entry, downloads: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "PATIENCE_S", 0.05)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", lambda url, timeout: time.sleep(1))
    with pytest.raises(DownloadFailed, match="no answer"):
        hub.from_hub(fake, tmp_path, silent)
    assert downloads == []


def test_whatever_the_client_raises_lets_the_next_source_try(
    fake: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(url: str, timeout: float) -> None:
        raise RuntimeError("no route\nand much more")

    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", fail)
    with pytest.raises(DownloadFailed, match=r"did not give someone/fake: no route$"):
        hub.from_hub(fake, tmp_path, silent)


@pytest.fixture
def repo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """A model on the hub that is not in the client's cache yet."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    found = SimpleNamespace(
        files={"config.json": 5, "model.safetensors": 50}, error=None, asked=[], fetched=[], local=False
    )

    def model_info(self: object, repo: str, **options: Any) -> SimpleNamespace:
        if found.error:
            raise found.error
        return SimpleNamespace(
            siblings=[SimpleNamespace(rfilename=n, size=s) for n, s in found.files.items()]
        )

    def snapshot(repo: str, *, local_files_only: bool, **options: Any) -> str:
        if local_files_only and found.local:
            return str(tmp_path)
        if local_files_only:
            raise errors.LocalEntryNotFoundError("not here")
        found.asked.append(options)
        for name in found.files:
            (tmp_path / name).write_text("{}")
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", model_info)
    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda _repo, name: found.fetched.append(name))
    return found


def test_a_hub_id_brings_safetensors_and_the_tokenizer(repo: SimpleNamespace, tmp_path: Path) -> None:
    assert prepare("someone/model") == tmp_path
    assert repo.asked == [{"allow_patterns": hub.WANTED, "ignore_patterns": hub.UNWANTED}]


def test_files_come_one_after_another_and_unwanted_ones_not_at_all(repo: SimpleNamespace) -> None:
    """In the thread that loads, which is not waited for when a server is stopped."""
    repo.files = {"config.json": 5, "run.py": 5, "model.safetensors": 50, "pytorch_model.bin": 50}
    prepare("someone/model")
    assert repo.fetched == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "code.py", "original/model.safetensors"])
def test_pickles_code_and_copies_are_not_wanted(name: str) -> None:
    wanted = hub._matches(name, hub.WANTED) and not hub._matches(name, hub.UNWANTED)
    assert not wanted


INDEX = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}


@pytest.mark.parametrize(
    "there",
    [
        ["config.json"],
        ["config.json", "tokenizer.json"],
        ["config.json", "model.safetensors"],
        ["tokenizer.json", "model.safetensors"],
        ["config.json", "tokenizer.json", "model-1.safetensors", "model.safetensors.index.json"],
    ],
)
def test_half_a_model_in_the_cache_is_completed(
    repo: SimpleNamespace, tmp_path: Path, there: list[str]
) -> None:
    """Other programs leave some of its files there."""
    repo.local = True
    for name in there:
        (tmp_path / name).write_text(json.dumps(INDEX) if "index" in name else "{}", "utf-8")
    assert prepare("someone/model") == tmp_path
    assert len(repo.asked) == 1


def test_a_whole_model_in_the_cache_needs_no_network(repo: SimpleNamespace, tmp_path: Path) -> None:
    repo.local, repo.error = True, ConnectionError("no network")
    for name in ("config.json", "tokenizer.json", "model-1.safetensors", "model-2.safetensors"):
        (tmp_path / name).write_text("{}", "utf-8")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(INDEX), "utf-8")
    assert prepare("someone/model") == tmp_path
    assert repo.asked == []


def test_a_model_of_pickles_only_is_refused_before_the_download(repo: SimpleNamespace) -> None:
    repo.files = {"config.json": 5, "pytorch_model.bin": 50}
    with pytest.raises(ModelError, match="no safetensors"):
        prepare("someone/model")
    assert repo.asked == []


def test_a_model_that_would_fill_the_disk_is_refused(repo: SimpleNamespace) -> None:
    repo.files = {"config.json": 5, "model.safetensors": 10**15}
    with pytest.raises(InsufficientSpace, match="1000000000000005 bytes more"):
        prepare("someone/model")


def _response(status: int) -> Any:
    import httpx2

    return httpx2.Response(status, request=httpx2.Request("GET", "https://hub.invalid"))


def test_an_unknown_hub_id_is_an_unknown_model(repo: SimpleNamespace) -> None:
    repo.error = errors.RepositoryNotFoundError("no", response=_response(404))
    with pytest.raises(UnknownModel, match="someone/model"):
        prepare("someone/model")


def test_a_gated_model_says_what_to_do(repo: SimpleNamespace) -> None:
    repo.error = errors.GatedRepoError("no", response=_response(403))
    with pytest.raises(DownloadFailed, match="accept its terms"):
        prepare("someone/model")


def test_no_hub_at_all_is_a_failed_download(repo: SimpleNamespace) -> None:
    repo.error = OSError("unreachable")
    with pytest.raises(DownloadFailed, match="unreachable"):
        prepare("someone/model")
