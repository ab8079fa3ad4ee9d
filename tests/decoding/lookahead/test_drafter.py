"""What is drafted, after which text."""

import random
import tracemalloc
from itertools import pairwise

from livemind_app.decoding.lookahead.calibration import Calibration, kind
from livemind_app.decoding.lookahead.cost import Costs, curve
from livemind_app.decoding.lookahead.drafter import Drafter, Shared
from livemind_app.decoding.lookahead.predict import blend
from livemind_app.decoding.lookahead.recycled import Recycled
from livemind_app.decoding.lookahead.tree import Tree

CHEAP = (0.0, *(1.0,) * 16)
PHRASE = [11, 12, 13, 14, 15, 16, 17, 18]


def drafter(**options: object) -> Drafter:
    return Drafter(Calibration(), **options)  # type: ignore[arg-type]


def drafted(tree: Tree) -> list[int]:
    """All but the root, likeliest first."""
    return tree.tokens[1:]


def test_a_phrase_is_continued_as_it_went_before() -> None:
    ours = drafter()
    ours.read([1, 2, *PHRASE, 3, 4, 5])
    ours.said(PHRASE[:3])
    assert drafted(ours.draft(CHEAP, 5))[:5] == PHRASE[3:8]


def test_a_new_text_is_not_drafted() -> None:
    ours = drafter()
    ours.read([1, 2, 3, 4, 5])
    assert len(ours.draft(CHEAP, 5)) == 1


def test_paths_are_no_deeper_than_asked() -> None:
    ours = drafter()
    ours.read([*PHRASE, *PHRASE[:2]])
    for depth in range(5):
        assert max(ours.draft(CHEAP, depth).depths) == depth


def test_what_an_earlier_prompt_said_is_remembered() -> None:
    ours = drafter()
    ours.read([1, 2, *PHRASE])
    ours.read([1, 2, 30, 31, 11, 12])
    assert drafted(ours.draft(CHEAP, 3))[:3] == PHRASE[2:5]


def test_a_prompt_that_goes_on_is_read_once() -> None:
    ours = drafter()
    ours.read([1, 2, *PHRASE])
    ours.read([1, 2, *PHRASE, 1, 2])
    tree = ours.draft(CHEAP, 1)
    assert tree.tokens == [2, 11]


def test_nothing_is_drafted_past_an_end() -> None:
    ours = drafter(ends=frozenset({13}))
    ours.read([*PHRASE, *PHRASE[:1]])
    assert drafted(ours.draft(CHEAP, 5)) == [12]


def test_a_width_of_one_makes_chains() -> None:
    ours = drafter(width=1)
    ours.read([1, 2, 3, 1, 2, 4, 1, 2, 5, 1, 2])
    assert ours.draft(CHEAP, 1).depths == [0, 1]
    wide = drafter()
    wide.read([1, 2, 3, 1, 2, 4, 1, 2, 5, 1, 2])
    assert wide.draft(CHEAP, 1).depths == [0, 1, 1, 1]


def test_shared_text_is_drafted_where_the_own_has_nothing() -> None:
    shared = Shared()
    shared.trie.insert(PHRASE)
    ours = drafter(shared=shared)
    ours.read([1, 2, 11, 12])
    assert drafted(ours.draft(CHEAP, 3))[:3] == PHRASE[2:5]


def test_others_learn_what_was_said_but_not_the_prompt() -> None:
    shared = Shared(open=True)
    ours, other = drafter(shared=shared), drafter(shared=shared)
    ours.read([1, 2, *PHRASE, 3, 4])
    ours.said([50, 51, 52])
    ours.ended()
    other.read([9, 11, 12])
    assert len(other.draft(CHEAP, 3)) == 1
    other.read([9, 50, 51])
    assert drafted(other.draft(CHEAP, 1)) == [52]


def test_without_sharing_nobody_learns_of_another() -> None:
    shared = Shared()
    shared.trie.insert([70, 71])
    ours, other = drafter(shared=shared), drafter(shared=shared)
    ours.read([1, 2, 3])
    ours.said(PHRASE)
    ours.ended()
    other.read([9, *PHRASE[:3]])
    assert len(other.draft(CHEAP, 3)) == 1


def test_drafts_that_fail_are_drafted_no_more() -> None:
    dear = (0.0, 1.0, *(1.3,) * 8)
    ours = drafter()
    ours.read([*PHRASE, *PHRASE[:6]])
    assert len(ours.draft(dear, 1)) == 2
    for _ in range(30):
        tree = ours.draft(CHEAP, 1)
        ours.learn(tree, [0], [99], [()])
    assert len(ours.draft(dear, 1)) == 1


def test_second_guesses_take_nothing_from_the_first() -> None:
    """As deep a draft of a text that is copied, whatever the model once thought likely beside it."""
    dear = (0.0, *(1 + row / 10 for row in range(16)))
    depths = []
    for beside in ((), tuple((token, 0.9) for token in range(50, 58))):
        ours = drafter()
        ours.read([1, 2, *PHRASE])
        ours.learn(Tree([1]), [0], [2], [()])
        for before, token in pairwise(PHRASE):
            ours.learn(Tree([before]), [0], [token], [beside])
            ours.said([token])
        ours.said([1, 2])
        depths.append(max(ours.draft(dear, 8).depths))
    assert depths[0] == depths[1] > 2


def test_a_second_guess_is_judged_where_the_first_was_wrong() -> None:
    ours, general = Drafter(learned := Calibration()), Calibration()
    ours.read([1, 2, 3, 1, 2, 3, 1, 2, 4, 1, 2])
    tree = ours.draft(CHEAP, 1)
    assert tree.tokens == [2, 3, 4]
    first, second = tree.tags[1:]
    assert not first.second
    assert second.second
    ours.learn(tree, [0], [3], [()])
    assert learned(first, 0.5) > general(first, 0.5)
    assert learned(second, 0.5) == general(second, 0.5)
    ours.learn(tree, [0], [4], [()])
    assert learned(second, 0.5) > general(second, 0.5)


def test_what_the_model_thought_likely_is_drafted_again() -> None:
    ours = drafter()
    ours.read([1, 2, 3])
    ours.learn(ours.draft(CHEAP, 3), [0], [50], [((50, 0.7), (60, 0.2))])
    ours.said([50, 51, 3])
    assert ours.draft(CHEAP, 1).tokens == [3, 50, 60]


def test_a_longer_context_outweighs_a_shorter_one() -> None:
    guesses = {g.token: g for g in blend([(3, {7: 1}), (1, {8: 5, 7: 1})])}
    assert guesses[7].probability > guesses[8].probability
    assert guesses[7].order == 3
    assert guesses[8].order == 1
    assert sum(g.probability for g in guesses.values()) <= 1
    assert blend([]) == []


def test_estimates_move_to_what_is_observed() -> None:
    calibration, this = Calibration(), kind("own", 2, 0.5)
    assert 0.3 < calibration(this, 0.5) < 0.5
    assert calibration(kind("own", 9, 0.5), 0.5) > calibration(this, 0.5)
    for _ in range(300):
        calibration.learn(this, hit=True)
    assert calibration(this, 0.5) > 0.95
    for _ in range(2000):
        calibration.learn(this, hit=False)
    assert calibration(this, 0.5) < 0.05
    assert kind("own", 2, 0.5) != kind("own", 3, 0.5)


def test_recycled_tokens_are_found_by_two_tokens_then_by_one() -> None:
    recycled = Recycled(most=4)
    recycled.write([1, 2], ((3, 0.9),))
    recycled.write([5, 2], ((4, 0.8),))
    assert recycled.read([1, 2]) == (2, ((3, 0.9),))
    assert recycled.read([9, 2]) == (1, ((4, 0.8),))
    assert recycled.read([9]) == (0, ())
    for token in range(10, 20):
        recycled.write([token, token], ((1, 1.0),))
    assert len(recycled) == 4


def test_bytes_are_about_what_is_held() -> None:
    chance = random.Random(0)
    likely = tuple((token, 1 / 8) for token in range(1000, 1008))
    tracemalloc.start()
    ours = drafter()
    ours.read([chance.randrange(2000) for _ in range(5000)])
    for token in range(1000):
        ours.said([token])
        ours.learn(Tree([token]), [0], [token + 1], [tuple((t + token, p) for t, p in likely)])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.5 < ours.bytes / held < 2


def test_costs_are_those_of_the_next_longer_context() -> None:
    costs = Costs({100: {1: 1.0, 2: 1.5}, 1000: {1: 2.0, 2: 8.0}})
    assert costs(50) == costs(100) == (0.0, 1.0, 1.5)
    assert costs(101) == costs(9999) == (0.0, 1.0, 4.0)
    assert curve({1: 1.0, 4: 4.0}) == (0.0, 1.0, 2.0, 3.0, 4.0)
