"""What a real server can promise of the contract of an engine.

Not: that warm output equals cold output (it computes in bfloat16, in batches of other sizes), that one token
is left to read of a prompt (its prefix cache keeps whole blocks), that an urgent request overtakes
(priorities take no running request's place), and that chance and penalties go on where another request left
them.
"""

from collections.abc import Callable

from livemind_app.engine.split import OwnedEngine
from livemind_app.protocol import Cancel, Request
from tests.engine.remote.echo import wait_for
from tests.engine.test_contract import (  # noqa: F401 - for tests of one server each
    ids_of,
    test_a_generation_is_taken_up_where_another_left_it,
    test_a_long_prefill_can_be_interrupted,
    test_a_long_prompt_in_chunks_equals_its_continuation,
    test_a_prompt_beyond_the_context_is_refused_by_name,
    test_cancelling_takes_effect_before_the_next_token,
    test_increments_join_to_the_decoded_whole,
    test_length_and_eos,
    test_lookahead_says_the_same,
    test_rendering_a_longer_chat_extends_the_ids_of_a_shorter_one,
    test_sampling_repeats_by_seed,
    test_says_something_sensible,
    test_scores_are_log_probabilities_of_the_first_token,
    test_stop_strings_end_the_text_before_them,
    test_what_is_under_way_is_counted_until_it_ends,
)


def test_a_server_is_idle_after_a_cancel(engine: OwnedEngine, running: Callable[[], float]) -> None:
    cancel = Cancel()
    outputs = engine.generate(Request(ids_of(engine, "Count to a thousand."), "llm", 2000, cancel=cancel))
    next(outputs)
    assert wait_for(lambda: running() == 1)
    cancel()
    assert wait_for(lambda: running() == 0, seconds=2)  # the whole answer takes far longer
    list(outputs)
