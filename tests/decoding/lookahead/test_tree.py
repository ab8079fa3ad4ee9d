"""Trees: their shape, and that the best one for its price is found."""

from collections.abc import Sequence
from itertools import combinations

from hypothesis import example, given
from hypothesis import strategies as st

from livemind_app.decoding.lookahead.tree import Candidate, Tree, grow

FREE = (0.0, *(1.0,) * 16)
ONE = (0.0, 1.0, *(100.0,) * 14)
rates = st.lists(st.floats(0.01, 0.99), min_size=12, max_size=12)


def test_a_free_forward_takes_all_it_can() -> None:
    tree = grow(9, lambda path: [Candidate(len(path), 0.9)], FREE, depth=10)
    assert tree.tokens == [9, *range(10)]
    assert tree.depths == list(range(11))


def test_rows_that_cost_more_than_they_promise_are_left_out() -> None:
    assert len(grow(9, lambda path: [Candidate(1, 0.9)], ONE, depth=10)) == 1
    assert len(grow(9, lambda path: [], FREE, depth=10)) == 1
    assert len(grow(9, lambda path: [Candidate(1, 0.9)], FREE, depth=0)) == 1


def test_several_rows_may_pay_where_one_does_not() -> None:
    stairs = (0.0, 1.0, 1.95, 1.95, 1.95, 1.95)
    assert len(grow(9, lambda path: [Candidate(len(path), 0.9)], stairs, depth=10)) == 5


@given(rates, st.lists(st.floats(1.0, 1.5), min_size=6, max_size=6))
@example([0.5, 0.75, 0.5, 0.5, 0.5, 0.5], [1.0, 1.375, 1.125, 1.0, 1.5, 1.0])  # three more rows pay, not two
def test_no_other_tree_of_the_same_candidates_promises_more(rates: list[float], steps: list[float]) -> None:
    cost = [0.0, 1.0]
    for step in steps:
        cost.append(cost[-1] * step)
    paths = [(0,), (1,), (0, 0), (0, 1), (1, 0), (1, 1)]
    probability = dict(zip(paths, rates, strict=False))

    def expand(path: Sequence[int]) -> list[Candidate]:
        if len(path) == 2:
            return []
        a, b = probability[(*path, 0)], probability[(*path, 1)]
        scale = max(1.0, a + b)
        return [Candidate(0, a / scale), Candidate(1, b / scale)]

    def chance(path: tuple[int, ...]) -> float:
        p = 1.0
        for depth in range(len(path)):
            p *= expand(path[:depth])[path[depth]].probability
        return p

    best = 1.0
    for size in range(1, len(paths) + 1):
        for chosen in combinations(paths, size):
            if all(len(path) == 1 or path[:-1] in chosen for path in chosen):
                best = max(best, (1 + sum(map(chance, chosen))) / cost[size + 1])
    tree = grow(9, expand, cost, depth=2)
    path_of = [
        tuple(tree.tokens[row] for row in reversed(tree.ancestors(row)[:-1])) for row in range(len(tree))
    ]
    ours = (1 + sum(chance(path) for path in path_of[1:])) / cost[len(tree)]
    assert ours >= best - 1e-9


def test_children_and_ancestors() -> None:
    tree = Tree([5])
    a = tree.add(0, 6)
    b = tree.add(0, 7)
    c = tree.add(b, 6)
    assert tree.children(0) == [a, b]
    assert tree.follow([0], 7) == [b]
    assert tree.follow([a], 7) == []
    assert tree.follow([a, b], 6) == [c]
    assert tree.ancestors(c) == [c, b, 0]
    tree.cut(2)
    assert len(tree) == 2
    assert tree.children(0) == [a]
