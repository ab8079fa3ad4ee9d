"""Training on tiny random pairs: answers, states, batches, and a loss that falls."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from livemind_app.cli import main
from livemind_app.engine.cache import CachePool, KVCache
from livemind_app.engine.generation import generation
from livemind_app.engine.model import LoadedModel
from livemind_app.errors import ConfigError
from livemind_app.journal import Table
from livemind_app.llm_to_slm import adapter
from livemind_app.llm_to_slm.conditioner import Conditioner, Shape
from livemind_app.llm_to_slm.generation import Pair
from livemind_app.llm_to_slm.reader import read as read_states
from livemind_app.llm_to_slm.training import command
from livemind_app.llm_to_slm.training.examples import (
    Example,
    additions,
    answer_ids,
    collate,
    end_of_turn,
    example,
    losses,
)
from livemind_app.llm_to_slm.training.features import Features, states_of
from livemind_app.llm_to_slm.training.task import Recipe, Training
from livemind_app.protocol import Chunk, Guide, Request
from livemind_app.session.formats import CONVENTIONAL_SYSTEM
from livemind_app.training import loop, lora, prompts
from livemind_app.training.answers import answer
from livemind_app.training.prompts import SYSTEM, Prompt, prompts_of
from tests.llm_to_slm import tiny

TEXTS = [
    "How many are left?",
    "The bakery bakes 120 rolls.",
    "汉字 👩‍👩‍👧 ?",
    "By noon it has sold half of them.",
]


@pytest.fixture(scope="module")
def reader() -> LoadedModel:
    return tiny.reader()


@pytest.fixture(scope="module")
def writer() -> LoadedModel:
    return tiny.writer()


def conditioner(*, trained: bool) -> Conditioner:
    torch.manual_seed(4)
    made = Conditioner(Shape(reader=48, writer=32, hidden=40, resampler=16, summary=4), size=0.15)
    for parameter in made.parameters() if trained else ():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.3)
    return made


def examples_of(reader: LoadedModel, writer: LoadedModel) -> tuple[list[Example], list[torch.Tensor]]:
    made = [
        example(
            text,
            Prompt(text, "x").messages,
            answer_ids(writer, text[::-1], ended=True),
            reader.tokenizer,
            writer.tokenizer,
        )
        for text in TEXTS
    ]
    states = [states_of(reader, reader.tokenizer.render(Prompt(text, "x").messages)) for text in TEXTS]
    return made, states


# Prompts.


def test_prompts_are_asked_as_the_app_asks_them() -> None:
    assert SYSTEM == CONVENTIONAL_SYSTEM


@pytest.mark.parametrize(
    ("record", "text", "reference"),
    [
        ({"question": "1 + 1?", "answer": "2\n#### 2"}, "1 + 1?", "2\n#### 2"),
        ({"instruction": "Add.", "context": "1, 1", "response": "2"}, "Add.\n\n1, 1", "2"),
        ({"instruction": "Add.", "input": "", "output": "2"}, "Add.", "2"),
        ({"source": ["A.", "B."], "target": ["C."]}, f"{prompts.SUMMARIZE}\n\nA. B.", "C."),
        ({"document": " D ", "questions": [{"question": "Q?", "responses": ["R"]}]}, "D\n\nQ?", "R"),
        ({"query": "Q?", "context": ["a", "b"], "answer": "R"}, "a\nb\n\nQ?", "R"),
        ({"prompt": " P "}, "P", ""),
    ],
)
def test_records_become_prompts(record: dict[str, Any], text: str, reference: str) -> None:
    (prompt,) = prompts_of(record, "x")
    assert (prompt.text, prompt.reference) == (text, reference)
    assert prompt.number == ("####" in reference)


def test_questions_for_measuring_are_not_trained_on() -> None:
    assert list(prompts_of({"question": "?", "options": ["a"], "answer": "A"}, "x")) == []


def test_files_are_read_once_each_prompt_and_bad_ones_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"prompt": "A\xe2\x80\xa8B"}\n{"prompt": "A\xe2\x80\xa8B"}\n'))
    found, hashes = prompts.read([path])
    assert [prompt.text for prompt in found] == ["A\u2028B"]
    assert list(hashes) == [f"{tmp_path.name}/p.jsonl.gz"]
    for content in ("{", '{"other": 1}'):
        bad = tmp_path / "bad.jsonl"
        bad.write_text(content)
        with pytest.raises(ConfigError, match=r"bad\.jsonl"):
            prompts.read([bad])


def test_a_sixteenth_is_held_out_whatever_the_sample() -> None:
    found = [Prompt(f"prompt {n}", "x") for n in range(2000)]
    assert 80 < sum(prompt.held_out for prompt in found) < 175
    assert prompts.sample(found, 10, 0) == prompts.sample(found[::-1], 20, 0)[:10]


# Answers and states.


def test_answers_in_a_batch_are_those_alone(reader: LoadedModel, tmp_path: Path) -> None:
    asked = [Prompt(text, "x") for text in TEXTS]
    with Table(tmp_path / "a.jsonl", {"llm": "tiny"}) as journal:
        answer(reader, asked[:1], journal, tokens=10, batch=3)
    with Table(tmp_path / "a.jsonl", {"llm": "tiny"}) as journal:
        assert list(journal.rows) == [asked[0].id]
        answer(reader, asked, journal, tokens=10, batch=3)
    for prompt in asked:
        request = Request(reader.tokenizer.render(prompt.messages), "llm", 10)
        chunks = [o for o in generation(reader, CachePool(0), request) if isinstance(o, Chunk)]
        alone = [token for chunk in chunks for token in chunk.ids]
        assert journal.rows[prompt.id]["answer"] == reader.tokenizer.decode(alone)
        assert journal.rows[prompt.id]["ended"] == (len(alone) < 10)


def test_a_journal_of_other_settings_is_refused_and_half_a_line_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with Table(path, {"llm": "one"}) as journal:
        journal.add({"id": "x", "answer": "1"})
    path.write_text(path.read_text() + '{"id": "y", "ans')
    with Table(path, {"llm": "one"}) as journal:
        assert list(journal.rows) == ["x"]
    with pytest.raises(ConfigError, match="other llm; choose another folder"):
        Table(path, {"llm": "other"})


def test_states_on_disk_go_on_after_a_kill(reader: LoadedModel, tmp_path: Path) -> None:
    asked = [Prompt(text, "x") for text in TEXTS]
    with Features(tmp_path, "tiny", reader.model.config) as features:
        features.compute(reader, asked[:2])
    with (tmp_path / "states.f16").open("ab") as file:
        file.write(b"half of a prompt")
    with Features(tmp_path, "tiny", reader.model.config) as features:
        features.compute(reader, asked)
        for prompt in asked:
            ids = reader.tokenizer.render(prompt.messages)
            assert features.lengths[prompt.id] == len(ids)
            assert torch.equal(features[prompt.id], states_of(reader, ids))


# Batches.


def test_a_batch_is_as_its_examples_alone(reader: LoadedModel, writer: LoadedModel) -> None:
    made, examples = conditioner(trained=True), examples_of(reader, writer)
    kept = [True, True, False, True]
    batch = collate(*examples, kept)
    added = additions(made, batch)
    together = losses(writer.model, batch, added)
    for row, (one, states) in enumerate(zip(*examples, strict=True)):
        alone = collate([one], [states], [kept[row]])
        assert torch.allclose(
            losses(writer.model, alone, additions(made, alone))[0], together[row], atol=1e-3
        )
        assert not added[row, len(one.prompt) :].any()
    plain = losses(writer.model, batch)
    assert torch.allclose(plain[2], together[2], atol=1e-4)
    assert not torch.allclose(plain[0], together[0], atol=1e-2)


def test_training_adds_what_serving_adds(reader: LoadedModel, writer: LoadedModel) -> None:
    made = conditioner(trained=True).eval()
    pair = Pair(reader, writer, made)
    for one, states in zip(*examples_of(reader, writer), strict=True):
        ids = reader.tokenizer.render(Prompt(one.id, "x").messages)
        cache = KVCache()
        read_states(reader, made, ids, cache)
        served = pair.added(cache, Guide(ids, one.places, complete=True))
        trained = additions(made, collate([one], [states], [True]))[0, : len(one.prompt)]
        assert torch.allclose(served, trained, atol=2e-2)  # states were rounded to 16 bits


def test_an_answer_ends_as_the_template_ends_it(writer: LoadedModel) -> None:
    assert end_of_turn(writer) in writer.end_ids
    assert answer_ids(writer, "x", ended=True)[-1] == end_of_turn(writer)
    assert answer_ids(writer, "x", ended=False) == writer.tokenizer.encode("x")


# Learning.


def test_a_few_steps_lower_the_loss(reader: LoadedModel, tmp_path: Path) -> None:
    writer = tiny.writer()
    examples, states = examples_of(reader, writer)
    updates = lora.add_lora(writer.model, rank=4)
    recipe = Recipe(batch=4, alone=10, projector_rate=1e-2, lora_rate=5e-3)
    table = {one.id: each for one, each in zip(examples, states, strict=True)}
    task = Training(writer.model, updates, conditioner(trained=False), table, examples, examples, recipe)
    before = task.evaluate()
    assert before["nll"] == pytest.approx(before["nll_without"]) == pytest.approx(before["nll_shuffled"])
    loop.train(task, tmp_path, loop.Plan(60, warmup=5, evaluate_every=60), {}, resume=False)
    after = task.evaluate()
    assert after["nll"] < 0.75 * before["nll"]
    assert after["nll"] < after["nll_shuffled"]


def test_first_the_projector_learns_alone(reader: LoadedModel) -> None:
    writer = tiny.writer()
    examples, states = examples_of(reader, writer)
    updates = lora.add_lora(writer.model, rank=4)
    table = {one.id: each for one, each in zip(examples, states, strict=True)}
    recipe = Recipe(batch=4, alone=1, dropout=0.0)
    made = conditioner(trained=False)
    task = Training(writer.model, updates, made, table, examples, examples, recipe)
    task.loss(0)[0].backward()
    assert made.out.weight.grad is not None
    assert all(update.up.grad is None for update in updates)
    task.loss(1)[0].backward()
    assert all(update.up.grad is not None for update in updates)


def test_the_projector_learns_in_every_step_that_it_has_alone(reader: LoadedModel) -> None:
    """Also where all of a batch would go without states."""
    writer = tiny.writer()
    examples, states = examples_of(reader, writer)
    updates = lora.add_lora(writer.model, rank=4)
    table = {one.id: each for one, each in zip(examples, states, strict=True)}
    recipe = Recipe(batch=1, alone=10, dropout=1.0)
    task = Training(writer.model, updates, conditioner(trained=False), table, examples, examples, recipe)
    for step in range(10):
        task.loss(step)[0].backward()
    assert all(parameter.grad is not None for parameter in task.groups()[0]["params"][:1])


def test_some_go_without_states_and_the_control_always() -> None:
    """Seen in the gradient: a step without states leaves the conditioner alone."""
    reader, writer = tiny.reader(), tiny.writer()
    examples, states = examples_of(reader, writer)
    updates = lora.add_lora(writer.model, rank=4)
    table = {one.id: each for one, each in zip(examples, states, strict=True)}
    made = conditioner(trained=True)
    control = Training(writer.model, updates, made, table, examples, examples, Recipe(batch=4, guided=False))
    control.loss(0)[0].backward()
    assert all(parameter.grad is None for parameter in made.parameters())
    assert set(control.evaluate()) == {"nll"}
    assert len(control.groups()) == 1


# The command.


@pytest.fixture
def pair_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"tiny-qwen2-48": tiny.reader, "tiny-llama-32": tiny.writer}
    monkeypatch.setattr(command, "_load", lambda name, dtype, **_: models[name]())


def arguments(data: Path, out: Path, *more: str) -> list[str]:
    return [
        *("train", "llm-to-slm", "--llm", "tiny-qwen2-48", "--slm", "tiny-llama-32", "--data", str(data)),
        *("--out", str(out), "--tokens", "8", "--batch", "4", "--answer-batch", "8", "--rank", "2"),
        *("--evaluate-every", "6", "--alone", "2", "--summary", "4", *more),
    ]


@pytest.mark.usefixtures("pair_by_name")
def test_the_command_trains_an_adapter_that_can_be_served(tmp_path: Path) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "out"
    data.write_text(
        "".join(json.dumps({"prompt": f"{text} {n}"}) + "\n" for text in TEXTS for n in range(16))
    )
    assert main(arguments(data, out, "--steps", "12", "--minutes", "0.0001")) == 3  # stopped: to be resumed
    answers = (out / "cache" / "answers.jsonl").read_bytes()
    assert main(arguments(data, out, "--steps", "12")) == 2  # not without --resume
    assert main(arguments(data, out, "--steps", "12", "--resume")) == 0
    assert (out / "cache" / "answers.jsonl").read_bytes() == answers
    found = adapter.load(out / "adapter")
    assert found.meta["done"] is True
    assert found.meta["settings"]["data"].keys() == {f"{tmp_path.name}/data.jsonl"}
    assert found.meta["command"].startswith("livemind")
    assert found.meta["held_out"].keys() == {"nll", "nll_without", "nll_shuffled"}
    assert found.attach({"llm": tiny.reader(), "slm": tiny.writer()})

    control = [
        *arguments(data, tmp_path / "control", "--steps", "4", "--cache", str(out / "cache")),
        "--without-llm",
    ]
    assert main(control) == 0
    assert adapter.load(tmp_path / "control" / "adapter").meta["settings"]["without_llm"] is True


@pytest.mark.usefixtures("pair_by_name")
def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text('{"prompt": "x"}\n')
    assert main(arguments(data, tmp_path / "out", "--steps", "0")) == 2
    assert "--steps is 0" in capsys.readouterr().err
    assert main(arguments(data, tmp_path / "out", "--steps", "1")) == 2
    assert "give more --data" in capsys.readouterr().err
