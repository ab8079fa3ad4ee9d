"""The published policy, as far as its paper and code describe it."""

import pytest

from livemind_app.decoding.lookahead.original import OriginalDrafts, Strategy

FREE = (0.0, *(1.0,) * 64)


def test_the_last_two_tokens_are_looked_up_then_the_last() -> None:
    drafts = OriginalDrafts()
    drafts.read([1, 2, 3, 4, 9, 2, 5, 6, 1, 2])
    assert drafts.draft(FREE, 20).tokens[:4] == [2, 3, 4, 9]
    drafts.read([1, 2, 3, 4, 8, 7, 3])
    assert drafts.draft(FREE, 20).tokens[:3] == [3, 4, 8]


@pytest.mark.parametrize(("strategy", "rows"), [("one", 3), ("hier", 4), ("par", 5)])
def test_strategies_differ_in_how_branches_are_kept(strategy: Strategy, rows: int) -> None:
    drafts = OriginalDrafts(strategy, branch_length=2)
    drafts.read([1, 3, 4, 1, 3, 5, 1])
    tree = drafts.draft(FREE, 20)
    assert len(tree) == rows
    assert set(tree.tokens) <= {1, 3, 4, 5}


def test_a_tree_has_no_more_rows_than_it_may() -> None:
    drafts = OriginalDrafts(decoding_length=8)
    drafts.read([token for other in range(2, 40) for token in (1, other)] + [1])
    assert len(drafts.draft(FREE, 20)) <= 8


def test_prompts_are_forgotten_and_outputs_kept() -> None:
    drafts = OriginalDrafts(branch_length=3)
    drafts.read([1, 2, 3, 4])
    drafts.said([5, 6, 7])
    drafts.ended()
    drafts.read([9, 2])
    assert drafts.draft(FREE, 9).tokens == [2]
    drafts.read([9, 5])
    assert drafts.draft(FREE, 9).tokens == [5, 6, 7]


def test_outputs_are_known_only_after_a_whole_branch() -> None:
    drafts = OriginalDrafts(branch_length=3)
    drafts.read([9])
    drafts.said([5, 6, 5])
    assert drafts.draft(FREE, 9).tokens == [5]
    drafts.said([6, 8, 5])
    assert drafts.draft(FREE, 9).tokens[:2] == [5, 6]
