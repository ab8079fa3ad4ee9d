"""oneDNN's layout kept as bytes: put back, it computes what it did."""

import pytest
import torch

from livemind_app.engine.packed.layout import PIECE, TALL, Restorer, laid_out, lay_out
from livemind_app.engine.packed.linear import PackedSums, Sums, has_vnni

needs_vnni = pytest.mark.skipif(
    not has_vnni(), reason="oneDNN adds exactly with VNNI only, and is not used without"
)
DIGITS = torch.arange(4 * 96, dtype=torch.int64).remainder(251).to(torch.uint8).view(4, 96)


def matrix(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-127, 128, (160, 96), dtype=torch.int8, generator=generator)


@needs_vnni
def test_matrices_of_one_shape_are_restored_each_with_its_own_values() -> None:
    restore = Restorer()
    restored = [restore(laid_out(matrix(seed)), (160, 96)) for seed in range(3)]
    for seed, pieces in enumerate(restored):
        assert same(PackedSums(pieces), Sums(matrix(seed)))


@needs_vnni
def test_a_tall_matrix_is_laid_out_in_pieces_that_compute_the_same() -> None:
    tall = matrix(0).repeat(TALL // 160 + 1, 1)
    restored = Restorer()(laid_out(tall), (len(tall), 96))
    assert len(lay_out(tall)) == len(restored) == -(-len(tall) // PIECE)
    for pieces in (lay_out(tall), restored):
        assert same(PackedSums(pieces), Sums(tall))


def same(ours: PackedSums, exact: Sums) -> bool:
    """Whether all sums are equal, pieces put one after the other."""
    pairs = zip(zip(*ours(DIGITS), strict=True), zip(*exact(DIGITS), strict=True), strict=True)
    return all(torch.equal(torch.cat(a, dim=-1), torch.cat(b, dim=-1).float()) for a, b in pairs)


def test_bytes_of_another_layout_are_refused() -> None:
    with pytest.raises(ValueError, match="bytes for a matrix"):
        Restorer()(laid_out(matrix(0))[:-1], (160, 96))
