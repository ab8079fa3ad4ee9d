"""Prompt layouts: what the model sees, and what stays the same from one prompt to the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livemind_app.engine.scripted import WordTokenizer
from livemind_app.session.actions import ActionParser, is_echo
from livemind_app.session.formats import FORMATS, Block, assistant, blocks_of, conventional
from livemind_app.session.state import Note
from livemind_app.text.prefix import common_prefix

BLOCKS = [Block("Tom has 3 apples. ", "3 apples"), Block("He buys 4. ", "7 apples"), Block("How many?")]
PAPER = sorted(set(FORMATS) - {"append"})


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shows_the_whole_prompt_and_every_inference(name: str) -> None:
    layout = FORMATS[name]  # type: ignore[index]
    shown = "\n".join(message["content"] for message in layout.answer([], BLOCKS))
    for block in BLOCKS:
        assert block.prompt.strip() in shown
        assert block.inference in shown


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "u-pi",
            [("user", "Incomplete prompt: A. B. C?\nPrevious inferences: (1) x (2) y")],
        ),
        ("u-pli", [("user", "Previous prompt: A. B. \nNew prompt: C?\nPrevious inferences: (1) x (2) y")]),
        ("u-spi", [("user", "Prompt: A. \nInference: x\nPrompt: B. \nInference: y\nPrompt: C?")]),
        ("ua-pil", [("user", "A. B. "), ("assistant", "x y"), ("user", "C?")]),
        (
            "ua-spi",
            [("user", "A. "), ("assistant", "x"), ("user", "B. "), ("assistant", "y"), ("user", "C?")],
        ),
    ],
)
def test_the_papers_layouts(name: str, expected: list[tuple[str, str]]) -> None:
    blocks = [Block("A. ", "x"), Block("B. ", "y"), Block("C?")]
    system, *messages = FORMATS[name].answer([], blocks)  # type: ignore[index]
    assert system["role"] == "system"
    assert [(message["role"], message["content"]) for message in messages] == expected


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_stages_differ_by_their_system_prompt_only(name: str) -> None:
    layout = FORMATS[name]  # type: ignore[index]
    think, answer = layout.think([], BLOCKS), layout.answer([], BLOCKS)
    assert think[1:] == answer[1:]
    assert think[0] != answer[0]


def test_append_extends_its_own_conversation() -> None:
    """The ids of each stage begin with those of the stage before, its note included."""
    layout, tokenizer = FORMATS["append"], WordTokenizer()
    before: tuple[int, ...] = ()
    for count in range(1, len(BLOCKS)):
        blocks = [*BLOCKS[: count - 1], Block(BLOCKS[count - 1].prompt)]
        thinking = layout.think([], blocks)
        ids = tokenizer.render([*thinking, assistant(f"Note: {BLOCKS[count - 1].inference}")])
        assert ids[: len(before)] == before
        before = ids


def test_the_answer_of_append_begins_with_what_is_known_while_typing() -> None:
    layout, tokenizer = FORMATS["append"], WordTokenizer()
    answer = tokenizer.render(layout.answer([], BLOCKS))
    for typed in ("Tom has", "Tom has 3 apples. ", "Tom has 3 apples. He buys 4. How many?"):
        known = tokenizer.render(layout.known([], typed), answer=False)
        shared = common_prefix(known, answer)
        assert len(known) - shared == 1  # the end of the user's turn


def test_history_stands_between_the_system_prompt_and_the_draft() -> None:
    past = [*conventional([], "Hello")[1:], assistant("Hi")]
    for layout in FORMATS.values():
        messages = layout.answer(past, BLOCKS)
        assert messages[1:3] == past


@given(st.lists(st.tuples(st.text("ab. ", max_size=5), st.sampled_from(["", "note"])), min_size=1))
def test_blocks_lose_no_text(parts: list[tuple[str, str]]) -> None:
    segments = [text for text, _ in parts]
    notes = [
        Note(index, index, "inference" if note else "wait", note)
        for index, (_, note) in enumerate(parts[:-1])
    ]
    blocks = blocks_of(segments, notes)
    assert "".join(block.prompt for block in blocks) == "".join(segments)
    assert [block.inference for block in blocks[:-1]] == [note.inference for note in notes if note.inference]
    assert blocks[-1].inference == ""


@given(st.data())
def test_actions_are_read_the_same_however_they_arrive(data: st.DataObject) -> None:
    reply, kind, shown = data.draw(
        st.sampled_from(
            [
                ("action inference. x is 3", "inference", "x is 3"),
                ("action inference.\n\n  x", "inference", "x"),
                ("Action Wait.", "wait", ""),
                ("action wait. because", "wait", ""),
                (" x is 3, so y is 4 and z", "inference", "x is 3, so y is 4 and z"),
                ("short", "inference", "short"),
                ("", "wait", ""),
            ]
        )
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(reply)), max_size=5)))
    pieces = [reply[a:b] for a, b in zip([0, *cuts], [*cuts, len(reply)], strict=True)]
    parser = ActionParser()
    text = "".join(parser.push(piece) for piece in pieces) + parser.finish()
    assert parser.kind == kind
    assert text.strip() == shown


def test_echoes() -> None:
    assert is_echo("Tom has 3 apples", "Now, Tom has 3 red apples.")
    assert is_echo("", "anything")
    assert not is_echo("7 apples", "Tom has 3 apples and buys 4.")
