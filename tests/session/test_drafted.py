"""What of an answer was drafted, as the state keeps it."""

from hypothesis import given
from hypothesis import strategies as st

from livemind_app.session.apply import apply
from livemind_app.session.events import Answer, Turn
from livemind_app.session.state import State

pieces = st.lists(st.tuples(st.text(min_size=1, max_size=4), st.booleans()), max_size=12)


@given(pieces)
def test_spans_hold_exactly_what_was_drafted(pieces: list[tuple[str, bool]]) -> None:
    state = apply(State(), Turn(0.0, 1, done=False, prompt="Hi.", lanes=("live",)))
    for text, drafted in pieces:
        state = apply(state, Answer(0.0, 1, "live", text, drafted))
    assert state.turn is not None
    lane = state.turn.lanes["live"]
    inside = {at for start, end in lane.drafted for at in range(start, end)}
    flags = [drafted for text, drafted in pieces for _ in text]
    assert inside == {at for at, drafted in enumerate(flags) if drafted}
    assert all(end < start for (_, end), (start, _) in zip(lane.drafted, lane.drafted[1:], strict=False))
