"""Packed weights on disk: packed once, mapped after that, packed again when damaged."""

import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from livemind_app.engine.packed import store
from livemind_app.engine.packed.store import load_or_pack, path


class Packing:
    """What packs, counted."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, Tensor]:
        self.times += 1
        time.sleep(0.02)
        return {"a.weights": torch.arange(1000, dtype=torch.int8), "a.scales": torch.ones(3)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIVEMIND_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def packing() -> Packing:
    return Packing()


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_packed_once_and_read_after_that(model: Path, packing: Packing) -> None:
    first = load_or_pack("m", model, "int8", packing)
    again = load_or_pack("m", model, "int8", packing)
    assert packing.times == 1
    assert same(first, again)
    assert same(first, packing())


def test_formats_and_processors_have_their_own_files(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {path("m", model, "int8"), path("m", model, "int4"), path("smollm2-135m", model, "int4")}
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "NO AVX")
    files.add(path("m", model, "int4"))
    assert len(files) == 4


def test_other_weights_are_packed_anew(model: Path, packing: Packing) -> None:
    load_or_pack("m", model, "int8", packing)
    (model / "model.safetensors").write_bytes(b"other weights")
    load_or_pack("m", model, "int8", packing)
    assert packing.times == 2


def test_what_an_earlier_version_packed_goes(
    model: Path, packing: Packing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(store, "FORMAT", store.FORMAT - 1)
        load_or_pack("m", model, "int8", packing)
        old = path("m", model, "int8")
    note = old.with_name("note.txt")
    note.write_text("not ours")
    load_or_pack("m", model, "int8", packing)
    assert not old.exists()
    assert note.exists()
    assert path("m", model, "int8").is_file()


@pytest.mark.parametrize("damage", ["empty", "cut", "garbage"])
def test_a_damaged_file_is_packed_again(
    model: Path, packing: Packing, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = load_or_pack("m", model, "int8", packing)
    expected = {name: tensor.clone() for name, tensor in whole.items()}
    del whole  # it is mapped
    file = path("m", model, "int8")
    data = file.read_bytes()
    file.write_bytes({"empty": b"", "cut": data[:-7], "garbage": b"\xff" * 64}[damage])
    assert same(load_or_pack("m", model, "int8", packing), expected)
    assert "damaged" in caplog.text
    assert same(load_or_pack("m", model, "int8", packing), expected)
    assert packing.times == 2


def test_a_crash_while_writing_leaves_nothing_that_is_read(
    model: Path, packing: Packing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(tensors: dict[str, Tensor], file: Path) -> None:
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "save_file", crash)
    with pytest.raises(KeyboardInterrupt):
        load_or_pack("m", model, "int8", packing)
    monkeypatch.setattr(store, "save_file", save_file)
    assert not path("m", model, "int8").exists()
    assert same(load_or_pack("m", model, "int8", packing), packing())


def test_a_full_disk_only_costs_the_next_start_its_time(
    model: Path, packing: Packing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(tensors: dict[str, Tensor], file: Path) -> None:
        file.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(store, "save_file", full)
    assert load_or_pack("m", model, "int8", packing).keys() == {"a.weights", "a.scales"}
    assert packing.times == 1
    assert "No space left" in caplog.text
    assert not any(path("m", model, "int8").parent.glob("*.partial"))


def test_a_cache_that_cannot_be_written_is_no_error(
    model: Path, packing: Packing, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write_text("a file where a folder should be")
    assert load_or_pack("m", model, "int8", packing).keys() == {"a.weights", "a.scales"}
    assert "again at every start" in caplog.text


def test_who_comes_second_waits_and_reads(model: Path, packing: Packing) -> None:
    results: list[dict[str, Tensor]] = []
    threads = [
        threading.Thread(target=lambda: results.append(load_or_pack("m", model, "int8", packing)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert packing.times == 1
    assert all(same(result, results[0]) for result in results)
    assert len(results) == 4
