"""oneDNN's own layout of a large int8 matrix, as bytes.

Laying a matrix out takes oneDNN several times as long as copying the result into place. So the result is
what lies on disk, and it fits one build of torch on one kind of processor only.
"""

import ctypes
from collections.abc import Iterator

import torch
from torch import Tensor

Shape = tuple[int, int]  # outputs, inputs
TALL = 1 << 15  # outputs above which a matrix is laid out in pieces, as heads are
PIECE = 1 << 13  # outputs of a piece


def lay_out(weights: Tensor) -> list[Tensor]:
    """[outputs, inputs] int8 → its pieces, one above the other: a single one unless it is tall."""
    return [_lay_out(piece) for piece in torch.split(weights, list(_heights(len(weights))))]


def laid_out(weights: Tensor) -> Tensor:
    """The bytes of these pieces, sums of the columns included."""
    return torch.cat([_read(piece) for piece in lay_out(weights)])


class Restorer:
    """Matrices from their bytes. oneDNN is asked for each shape once: hence small pieces of heads."""

    def __init__(self) -> None:
        self._like: dict[Shape, Tensor] = {}

    def __call__(self, data: Tensor, shape: Shape) -> list[Tensor]:
        """What `lay_out` gave. Raises ValueError for bytes of another layout."""
        outputs, inputs = shape
        pieces = [self._empty((height, inputs)) for height in _heights(outputs)]
        sizes = [_bytes(piece) for piece in pieces]
        if data.nbytes != sum(sizes):
            raise ValueError(f"{data.nbytes} bytes for a matrix of {sum(sizes)}")
        for piece, part in zip(pieces, torch.split(data, sizes), strict=True):
            ctypes.memmove(torch.ops.mkldnn.data_ptr(piece), part.data_ptr(), part.nbytes)
        return pieces

    def _empty(self, shape: Shape) -> Tensor:
        if shape not in self._like:
            self._like[shape] = _lay_out(torch.zeros(shape, dtype=torch.int8))
        return self._like[shape].clone()


def _heights(outputs: int) -> Iterator[int]:
    step = PIECE if outputs > TALL else outputs
    for start in range(0, outputs, step):
        yield min(step, outputs - start)


def _lay_out(weights: Tensor) -> Tensor:
    matrix: Tensor = torch.ops.onednn.qlinear_prepack(weights, None)
    return matrix


def _bytes(matrix: Tensor) -> int:
    return int(torch.ops.mkldnn._nbytes(matrix))


def _read(matrix: Tensor) -> Tensor:
    data = torch.empty(_bytes(matrix), dtype=torch.uint8)
    ctypes.memmove(data.data_ptr(), torch.ops.mkldnn.data_ptr(matrix), data.nbytes)
    return data
