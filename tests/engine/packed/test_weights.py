"""Formats by name: what `auto` means, what excludes what, and whole models loaded in each."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from livemind_app import cli
from livemind_app.config import Settings
from livemind_app.engine.models.catalogue import Entry
from livemind_app.engine.models.load import WEIGHTS, load, resolve_dtype, resolve_weights
from livemind_app.engine.models.prepare import prepare
from livemind_app.engine.packed import weights as formats
from livemind_app.engine.packed.phase import decoding
from livemind_app.engine.packed.store import path
from livemind_app.errors import ConfigError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEMIND_CACHE", str(tmp_path / "cache"))


X86, ARM, OLD = {"avx2", "fma", "f16c"}, {"neon"}, {"avx"}


@pytest.fixture
def processor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With these instructions."""
    monkeypatch.setattr(formats, "has", lambda name: name in request.param)


@pytest.mark.parametrize(
    ("processor", "published", "other"),
    [(X86, "gguf", "int8"), (ARM, "gguf", "int8"), (OLD, None, None)],
    indirect=["processor"],
)
@pytest.mark.usefixtures("processor")
def test_auto_follows_the_processor_and_the_model(
    published: str | None, other: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(formats, "kept_file", lambda model: tmp_path)
    assert resolve_weights("auto", "smollm2-135m", "auto", "cpu") == published
    assert resolve_weights("auto", "qwen2.5-coder-0.5b", "auto", "cpu") == published
    assert resolve_weights("auto", "someone/model", "auto", "cpu") == other
    assert resolve_weights("auto", "smollm2-135m", "auto", "cuda") is None
    assert resolve_weights("auto", "smollm2-135m", "bfloat16", "cpu") is None


@pytest.mark.parametrize("processor", [X86, ARM], indirect=True)
@pytest.mark.usefixtures("processor")
def test_a_published_file_that_is_not_there_is_not_fetched_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As where somebody's own folder holds the converted model alone, and there is no network."""
    monkeypatch.setenv("LIVEMIND_CACHE", str(tmp_path))
    assert resolve_weights("auto", "smollm2-135m", "auto", "cpu") == "int8"


def test_plain_names_and_none_are_not_packed() -> None:
    for name in (None, "float32", "bfloat16"):
        assert resolve_weights(name, "m", "auto", "cpu") is None
    assert [resolve_weights(name, "m", "auto", "cpu") for name in ("int8", "int4", "gguf")] == [
        "int8",
        "int4",
        "gguf",
    ]


def test_unknown_names_are_refused_with_those_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"'int3' is none of auto, .*int8, int4, gguf"):
        resolve_weights("int3", "m", "auto", "cpu")
    with pytest.raises(ConfigError, match=r"prefill 'none' is none of auto, plain, packed"):
        load("smollm2-135m", prefill="none")


@pytest.mark.parametrize("name", ["int8", "int4", "gguf"])
def test_packed_weights_are_for_cpus(name: str) -> None:
    with pytest.raises(ConfigError, match=f"weights {name} is for CPUs.*cuda"):
        resolve_weights(name, "m", "auto", "cuda")


def test_beside_packed_weights_fp32_is_computed_in_unless_a_dtype_is_named() -> None:
    for name in ("int8", "int4", "gguf"):
        assert resolve_dtype("auto", "cpu", name) == torch.float32
        assert resolve_dtype("bfloat16", "cpu", name) == torch.bfloat16


def test_plain_weights_name_the_dtype_and_must_agree_with_it() -> None:
    assert resolve_dtype("auto", "cpu", "bfloat16") == torch.bfloat16
    assert resolve_dtype("float32", "cpu", "float32") == torch.float32
    with pytest.raises(ConfigError, match="weights bfloat16 and dtype float32"):
        resolve_dtype("float32", "cpu", "bfloat16")


def test_settings_take_weights_and_prefill() -> None:
    chosen = Settings.from_env({"LIVEMIND_WEIGHTS": "int4", "LIVEMIND_PREFILL": "packed"}, {})
    assert (chosen.weights, chosen.prefill) == ("int4", "packed")
    assert Settings.from_env({"LIVEMIND_WEIGHTS": "int4"}, {"weights": "gguf"}).weights == "gguf"
    assert (Settings().weights, Settings().prefill) == ("auto", "auto")
    for name in WEIGHTS:
        assert Settings.from_env({}, {"weights": name}).weights == name
    with pytest.raises(ConfigError, match="auto, float32, bfloat16, int8, int4, gguf"):
        Settings.from_env({"LIVEMIND_WEIGHTS": "int3"}, {})
    with pytest.raises(ConfigError, match="auto, plain, packed"):
        Settings.from_env({}, {"prefill": "both"})


def test_the_command_line_offers_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["serve", "--help"])
    said = capsys.readouterr().out
    assert "--weights auto|float32|bfloat16|int8|int4|gguf" in said
    assert "--prefill auto|plain|packed" in said
    assert cli.main(["serve", "--weights", "int3"]) == 2
    assert "int3" in capsys.readouterr().err


def logits(name: str, **options: Any) -> torch.Tensor:
    network, tokenizer = load(name, **options)
    with torch.inference_mode(), decoding():
        result: torch.Tensor = network(torch.tensor([tokenizer.encode("this and that")])).logits.float()
    return result


@pytest.mark.parametrize("prefill", ["auto", "plain", "packed"])
@pytest.mark.parametrize("weights", ["int8", "int4", "gguf"])
def test_a_catalogue_model_loads_in_every_format(toy: Entry, weights: str, prefill: str) -> None:
    """Its file holds fp32, so that `gguf` has to fall back to 8 bits."""
    exact = logits("toy", dtype="float32")
    first = logits("toy", weights=weights, prefill=prefill)
    assert (first - exact).norm() < (0.25 if weights == "int4" else 0.03) * exact.norm()
    assert path("toy", prepare("toy"), weights).is_file()  # type: ignore[arg-type]
    assert torch.equal(logits("toy", weights=weights, prefill=prefill), first)


def test_a_local_folder_packs_but_has_no_blocks(toy: Entry, caplog: pytest.LogCaptureFixture) -> None:
    folder = str(prepare("toy"))
    with caplog.at_level(logging.WARNING):
        assert torch.isfinite(logits(folder, weights="int8")).all()
    assert caplog.text == ""
    with pytest.raises(ConfigError, match="did not come as a GGUF file; choose int8 or int4"):
        load(folder, weights="gguf")


def test_a_format_that_packs_again_says_what_it_read(toy: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second load reads the file: nothing packs."""
    first = logits("toy", weights="int8")
    monkeypatch.setattr(formats, "pack", lambda *_: pytest.fail("packed again"))
    assert torch.equal(logits("toy", weights="int8"), first)
