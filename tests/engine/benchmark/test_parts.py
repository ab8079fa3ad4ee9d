"""What the figures are made of."""

from math import exp
from pathlib import Path

import pytest

from livemind_app.benchmark.engine.footprint import footprint
from livemind_app.benchmark.engine.quality import Quality
from livemind_app.benchmark.engine.report import report
from livemind_app.benchmark.engine.speed import points
from livemind_app.benchmark.engine.subjects import REFERENCE, Answer, ours, reference
from livemind_app.benchmark.engine.summary import speed
from livemind_app.engine.models.catalogue import Entry
from livemind_app.engine.models.prepare import prepare

PROMPT = list(range(5, 45))


def test_speedups_are_medians_of_the_ratios_within_rounds() -> None:
    """The machine was three times slower in the last round, for both."""
    base = [Answer(2.0, 8.0, 4), Answer(2.0, 8.0, 4), Answer(6.0, 24.0, 4)]
    own = [Answer(1.0, 2.0, 4), Answer(1.0, 2.0, 4), Answer(3.0, 6.0, 4)]
    figures = speed(own, base, 300)
    assert figures["decode_speedup"] == 4
    assert figures["prefill_speedup"] == 2
    assert figures["decode_tokens_per_s"] == 2
    assert figures["prefill_tokens_per_s"] == 300
    assert figures["decode_speedup_range"] == [4, 4]


def test_the_interval_of_a_perplexity_is_that_of_the_mean_difference() -> None:
    """100 tokens, half of them 0.1 nats worse, half 0.1 better: the mean is 0, its deviation 0.01."""
    own = Quality(tokens=100, nll=200.0, excess=0.0, excess_squares=100 * 0.01)
    assert own.ratio_error == pytest.approx(exp(1.96 * 0.01) - 1)
    same = Quality(tokens=100, nll=200.0, excess=10.0, excess_squares=100 * 0.01)
    assert same.ratio_error == pytest.approx(0, abs=1e-6)


def test_points_fit_into_the_context() -> None:
    assert points(128) == [(1, 50)]
    assert (32, 300) in points(400)
    assert max(length for _, length in points(32768)) == 4000


def test_a_dash_stands_for_what_was_not_measured() -> None:
    table = report({"int8": {"decode_tokens_per_s": 12.34, "ppl": 9.8765}})
    assert "12.3" in table
    assert "9.877" in table
    assert "–" in table
    assert "{" not in table


def test_subjects_answer_with_as_many_tokens_as_asked(toy: Entry) -> None:
    for subject in (reference("toy"), ours("toy", "int8", "plain")):
        answer = subject.answer(PROMPT, 9)
        assert answer.steps == 8
        assert answer.ttft_s > 0
        assert answer.decode_s > 0


def test_a_filled_cache_takes_steps_of_any_size(toy: Entry) -> None:
    for subject in (reference("toy"), ours("toy", "int8", "plain")):
        cache = subject.filled(50)
        assert cache.get_seq_length() == 50
        assert len(subject.step([1, 2, 3], cache)) == 3
        cache.crop(-3)
        assert cache.get_seq_length() == 50


def test_memory_is_that_of_a_process_of_its_own(toy: Entry) -> None:
    folder = str(prepare("toy"))  # another process does not know the toy by its name
    found = footprint(folder, REFERENCE, "plain", PROMPT, 1)
    assert found.load_s > 0
    if Path("/proc/self/status").exists():
        assert found.memory is not None
        assert found.peak_memory is not None
        assert 10**8 < found.memory <= found.peak_memory


def test_bytes_count_shared_weights_once(toy: Entry) -> None:
    plain = reference("toy")
    parameters = sum(parameter.nbytes for parameter in plain.network.parameters())
    assert 0 <= plain.bytes - parameters < 1000  # rotary frequencies
    kept, dropped = (ours("toy", "int4", prefill).bytes for prefill in ("plain", "packed"))
    assert kept > dropped + 10_000
