"""What a server offers: pairs by name, each model loaded once, all on one thread."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from livemind_app.config import Settings
from livemind_app.engine import loading
from livemind_app.engine.models.load import load
from livemind_app.errors import ConfigError, ModelError
from livemind_app.loading import open_offer, pair_name, settings_of
from livemind_app.protocol import Engine, Finished, Request, Role


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two small networks that nobody trained, with a real tokenizer."""
    tokenizer = load("smollm2-135m", "float32")[1]
    made = []
    for seed, name in enumerate(("one", "two")):
        torch.manual_seed(seed)
        shape: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
        heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False}
        network = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), eos_token_id=2, **shape, **heads))
        folder = tmp_path_factory.mktemp("models") / name
        network.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        made.append(str(folder))
    return made


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of models as they are read from the disk."""
    found: list[str] = []

    def counted(name: str, *args: Any, **options: Any) -> Any:
        found.append(Path(name).name)
        return load(name, *args, **options)

    monkeypatch.setattr(loading, "load", counted)
    return found


def said(engine: Engine, role: Role) -> tuple[int, ...]:
    request = Request(engine.tokenizer(role).encode("Once upon a time"), role, 6)
    outputs = list(engine.generate(request))
    assert isinstance(outputs[-1], Finished)
    return tuple(token for chunk in outputs[:-1] if not isinstance(chunk, Finished) for token in chunk.ids)


async def test_pairs_share_models_and_are_loaded_when_they_are_chosen(
    folders: list[str], reads: list[str]
) -> None:
    one, two = folders
    settings = Settings(llm=one, slm=one, offer=(f"{two}+{one}", two), dtype="float32")
    with closing(open_offer(settings)) as offer:
        assert list(offer.engines) == ["one+one", "two+one", "two"]
        own, mixed, other = offer.engines.values()
        await own.ready()
        assert reads == ["one"]
        assert [model.state for model in mixed.status()] == ["missing", "missing"]
        await mixed.ready()
        await other.ready()
        assert reads == ["one", "two"]
        assert said(mixed, "slm") == said(own, "slm") == said(own, "llm")
        assert said(mixed, "llm") == said(other, "slm") != said(own, "llm")


async def test_what_cannot_be_loaded_says_so_and_hurts_no_other(folders: list[str]) -> None:
    settings = Settings(llm=folders[0], slm=folders[0], offer=("gone+gone",), dtype="float32")
    with closing(open_offer(settings)) as offer:
        own, gone = offer.engines.values()
        with pytest.raises(ModelError, match="gone"):
            await gone.ready()
        assert {model.state for model in gone.status()} == {"failed"}
        await own.ready()
        assert said(own, "llm")


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (Settings(llm="scripted"), ["scripted"]),
        (Settings(preset="tiny"), ["tiny"]),
        (Settings(preset="tiny", offer=("base", "tiny")), ["tiny", "base"]),
        (Settings(preset="tiny", offer=()), ["tiny"]),
    ],
)
def test_smaller_presets_are_offered_unless_the_operator_says_what(
    settings: Settings, names: list[str]
) -> None:
    with closing(open_offer(settings)) as offer:
        assert list(offer.engines) == names


def test_a_pair_by_its_name_is_that_of_a_server_that_has_it_as_its_own() -> None:
    settings = Settings(preset="base")
    assert settings_of(settings, "small").preset == "small"
    assert settings_of(settings, "base").preset == "base"
    offering = Settings(llm="a/b", slm="c", offer=("small", "http://10.0.0.5:8000/v1#big+a/b"))
    assert settings_of(offering, "b+c") == offering
    found = settings_of(offering, "big+b")
    assert (found.llm, found.slm) == ("http://10.0.0.5:8000/v1#big", "a/b")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("small", "small"),
        ("Qwen/Qwen3-4B+smollm2-135m", "Qwen3-4B+smollm2-135m"),
        ("http://10.0.0.5:8000/v1+/srv/models/smol/", "server+smol"),
    ],
)
def test_names_say_nothing_of_where_models_are(written: str, name: str) -> None:
    assert pair_name(written) == name


@pytest.mark.parametrize("wrong", ["small,", "a+b+c", "+b", "a b", "none,small,"])
def test_a_wrong_offer_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"--offer is .*presets, or pairs of models"):
        Settings.from_env({}, {"offer": wrong})
    assert Settings.from_env({"LIVEMIND_OFFER": "none"}).offer == ()


def test_two_pairs_that_look_the_same_to_users_are_refused() -> None:
    offer = ("http://one:8000/v1#smol+tiny", "http://two:8000/v1#smol+tiny")
    with pytest.raises(ConfigError, match=r"--offer names smol\+tiny twice"):
        open_offer(Settings(llm="http://three:8000/v1#smol", slm="smollm2-135m", offer=offer))
