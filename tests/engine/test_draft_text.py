"""What sessions know besides their own text, as the operator chooses it."""

from pathlib import Path

import pytest

from livemind_app.config import Settings
from livemind_app.engine.loading import load_engine
from livemind_app.engine.lookahead import MOST_PUBLIC, read_draft_text
from livemind_app.errors import ConfigError


def test_a_file_that_cannot_be_read_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing"):
        load_engine("tiny", draft_text=str(tmp_path / "missing"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="binary"):
        read_draft_text(str(tmp_path / "binary"))
    with (tmp_path / "long").open("wb") as file:
        file.truncate(MOST_PUBLIC + 1)
    with pytest.raises(ConfigError, match="take a part"):
        read_draft_text(str(tmp_path / "long"))


def test_sharing_is_off_unless_it_is_named() -> None:
    assert Settings().drafts == "own"
    assert Settings.from_env({"LIVEMIND_DRAFTS": "shared"}).drafts == "shared"
    with pytest.raises(ConfigError, match="own, shared"):
        Settings.from_env({}, {"drafts": "all"})
