"""Four outputs of a few rows: groups of 32 inputs that share a scale (6 bits: 16), `w = q * scale + low`.

Weights lie as they are read: for each four outputs (a tile) group after group, in each group the integers of
the four, their scales in fp16 and, with 4 bits, their lows. A step of decode reads memory from one end to
the other, and the arithmetic on a group takes less time than reading it. An output's products are summed in
as many lanes whatever the width of the vectors, so every processor comes to the same bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from llvmlite import ir

from livemind_app.engine.compiled.emit import (
    BYTE,
    FLOAT,
    HALF,
    INT,
    LONG,
    POINTER,
    SHORT,
    Build,
    Value,
    constants,
    declared,
    defined,
    element,
    fma,
    folded,
    lanes_of,
    load,
    loop,
    spread,
    store,
    vector,
)
from livemind_app.engine.compiled.machine import has

GROUP = 32  # inputs that share a scale, as in GGUF's blocks
TILE = 4  # outputs that lie together
LANES = 16 if has("avx512bw") else 8  # of a vector of sums; vectors of what is multiplied have twice as many
MOST = 8  # rows that weights are unpacked for at once
MIDDLE = 32  # of 6 bits: what stands for 0
AHEAD, LINE = 4096, 64  # bytes that are asked of memory before they are needed, and how many at once
MULTIPLY_ADD = {8: "llvm.x86.avx2.pmadd.wd", 16: "llvm.x86.avx512.pmaddw.d.512"}  # by the lanes of the result


@dataclass(frozen=True)
class Form:
    """How weights of so many bits lie in memory: 4 bits have lows, 6 stand for 32 less, 8 are signed."""

    bits: int

    @property
    def scales(self) -> int:
        """Where in a tile's group they begin, behind the integers: the four's low bits, their high ones."""
        return TILE * GROUP * self.bits // 8

    @property
    def shares(self) -> int:
        """Into how many a group is divided by scales of its own."""
        return 2 if self.bits == 6 else 1

    @property
    def lows(self) -> int:
        return self.scales + 2 * TILE * self.shares

    @property
    def has_lows(self) -> bool:
        """Whether something is added to integers times scales."""
        return self.bits < 8

    @property
    def together(self) -> int:
        """Outputs of a vector of sums: each has as many of its lanes whatever its width."""
        return LANES // (8 if self.bits == 8 else 4)

    @property
    def step(self) -> int:
        """Bytes from group to group."""
        return self.lows + 2 * TILE * (self.bits == 4)


def emit_tile(module: ir.Module, form: Form, rows: int) -> ir.Function:
    """`tile(digits, sums, steps, weights, offsets, y, groups, outputs, distance)`: y[row, 0 to 3] of so many.

    Pointers are to the first row and the tile's first output; `outputs` is the distance of y's rows,
    `distance` that of the offsets', which are added.
    """
    tile, build = defined(module, f"tile_{rows}", [POINTER] * 6 + [LONG] * 3)
    for argument in tile.args[:6]:
        argument.add_attribute("noalias")
    product = _Product(build, form, rows, tile.args)
    # Sums fill half of the registers, which are twice as many where they are wider; the rest is for operands.
    height = min(TILE, form.together * max(1, LANES // rows))
    totals = [product.of_outputs(range(first, first + height)) for first in range(0, TILE, height)]
    lows = product.of_lows() if form.has_lows else [[FLOAT(0)] * TILE] * rows
    for row in range(rows):
        product.finish(row, [total for part in totals for total in part[row]], lows[row])
    build.ret_void()
    return tile


class _Product:
    """Sums over all groups."""

    def __init__(self, build: Build, form: Form, rows: int, arguments: Sequence[Value]) -> None:
        digits, sums, steps, weights, offsets, y, groups, outputs, distance = arguments
        self._build = build
        self._form = form
        self._weights, self._groups = weights, groups
        self._rows = range(rows)
        self._digits, self._sums = digits, sums
        self._y = [element(build, y, FLOAT, build.mul(LONG(row), outputs)) for row in range(rows)]
        self._offsets = [
            element(build, offsets, FLOAT, build.mul(LONG(row), distance)) for row in range(rows)
        ]
        self._steps = [element(build, steps, FLOAT, row) for row in range(rows)]

    def of_outputs(self, outputs: range) -> list[list[Value]]:
        """Integers times scales: for each row, of each of these outputs."""
        build, form = self._build, self._form
        vectors = [range(first, first + form.together) for first in outputs[:: form.together]]

        def group(index: Value, *held: Value) -> list[Value]:
            weights = self._group(index)
            if outputs.start == 0:
                for at in range(AHEAD, AHEAD + form.step, LINE):
                    _prefetch(build, element(build, weights, BYTE, at))
            scales = self._scales(weights)
            parts = [(self._integers(weights, at), [_spread(build, s, at) for s in scales]) for at in vectors]
            sums = list(held)
            for row in self._rows:  # each one's are in registers once
                activations = self._activations(index, row)
                for number, part in enumerate(parts, start=row * len(parts)):
                    sums[number] = _added(build, sums[number], activations, *part)
            return sums

        zeros = [constants(FLOAT, LANES, 0.0)] * (len(vectors) * len(self._rows))
        sums = loop(build, (LONG(0), self._groups, 1), group, zeros)
        totals = [total for held in sums for total in _totals(build, held, form.together)]
        return [totals[len(outputs) * row :][: len(outputs)] for row in self._rows]

    def of_lows(self) -> list[list[Value]]:
        """A low is added to each of a share's inputs, so it is multiplied with their sum."""
        build, rows = self._build, len(self._rows)

        def group(index: Value, *held: Value) -> list[Value]:
            totals = list(held)
            first = element(build, self._sums, FLOAT, build.mul(index, LONG(rows * self._form.shares)))
            for share, lows in enumerate(self._lows(self._group(index))):
                for row in self._rows:
                    sum_ = load(build, element(build, first, FLOAT, share * rows + row), FLOAT)
                    totals[row] = fma(build, spread(build, sum_, TILE), lows, totals[row])
            return totals

        totals = loop(build, (LONG(0), self._groups, 1), group, [constants(FLOAT, TILE, 0.0)] * rows)
        return [[build.extract_element(total, INT(output)) for output in range(TILE)] for total in totals]

    def _scales(self, weights: Value) -> list[Value]:
        """Of the four outputs, for each share."""
        offsets = range(self._form.scales, self._form.lows, 2 * TILE)
        return [_in_fp16(self._build, weights, offset) for offset in offsets]

    def _lows(self, weights: Value) -> list[Value]:
        if self._form.bits == 4:
            return [_in_fp16(self._build, weights, self._form.lows)]
        middle = constants(FLOAT, TILE, -MIDDLE)
        return [self._build.fmul(scale, middle) for scale in self._scales(weights)]

    def finish(self, row: int, totals: Sequence[Value], lows: Sequence[Value]) -> None:
        """Four outputs of a row, with the size of its digits and what is added."""
        build = self._build
        step = load(build, self._steps[row], FLOAT)
        for output, (total, low) in enumerate(zip(totals, lows, strict=True)):
            offset = load(build, element(build, self._offsets[row], FLOAT, output), FLOAT)
            value = fma(build, build.fadd(total, low), step, offset)
            store(build, value, element(build, self._y[row], FLOAT, output))

    def _activations(self, group: Value, row: int) -> list[Value]:
        """A row's 32 integers in parts, each once for every output of a vector."""
        build, size = self._build, 2 * LANES // self._form.together
        first = element(build, self._digits, SHORT, build.mul(group, LONG(GROUP * len(self._rows))))
        parts = (element(build, first, SHORT, GROUP * row + at) for at in range(0, GROUP, size))
        lanes = [*range(size)] * self._form.together
        return [lanes_of(build, load(build, part, vector(SHORT, size)), lanes) for part in parts]

    def _integers(self, weights: Value, outputs: range) -> list[Value]:
        """Of the outputs of a vector, in the same parts."""
        build, wide, half = self._build, vector(SHORT, 2 * LANES), GROUP // 2
        if self._form.bits == 8:
            kind = vector(BYTE, GROUP * len(outputs))
            all_ = load(build, element(build, weights, BYTE, outputs.start * GROUP), kind)
            rows = range(0, GROUP * len(outputs), GROUP)
            halves = ([row + at for row in rows for at in range(first, first + half)] for first in (0, half))
            return [build.sext(lanes_of(build, all_, lanes), wide) for lanes in halves]
        words = load(build, element(build, weights, BYTE, outputs.start * half), wide)
        shifted = [words, *(build.lshr(words, _shorts(bits)) for bits in (4, 8, 12))]
        low = [*(build.and_(each, _shorts(15)) for each in shifted[:3]), shifted[3]]
        return low if self._form.bits == 4 else self._with_high_bits(low, weights, outputs)

    def _with_high_bits(self, low: list[Value], weights: Value, outputs: range) -> list[Value]:
        """Two each, the four parts' beside each other in a byte."""
        build = self._build
        start = element(build, weights, BYTE, TILE * GROUP // 2 + outputs.start * GROUP // 4)
        high = build.zext(load(build, start, vector(BYTE, 2 * LANES)), vector(SHORT, 2 * LANES))
        placed = [*(build.shl(high, _shorts(bits)) for bits in (4, 2)), high, build.lshr(high, _shorts(2))]
        pairs = zip(low, placed, strict=True)
        return [build.or_(lower, build.and_(upper, _shorts(48))) for lower, upper in pairs]

    def _group(self, index: Value) -> Value:
        return element(self._build, self._weights, BYTE, self._build.mul(index, LONG(self._form.step)))


def _in_fp16(build: Build, weights: Value, offset: int) -> Value:
    """The four numbers at a place of a tile's group."""
    numbers = load(build, element(build, weights, BYTE, offset), vector(HALF, TILE))
    return build.fpext(numbers, vector(FLOAT, TILE))


def _spread(build: Build, scales: Value, outputs: range) -> Value:
    """Of the outputs of a vector, each in the lanes of its sums."""
    return lanes_of(build, scales, [output for output in outputs for _ in range(LANES // len(outputs))])


def _totals(build: Build, sums: Value, outputs: int) -> list[Value]:
    """Of the outputs of a vector."""
    size = LANES // outputs
    parts = (lanes_of(build, sums, range(first, first + size)) for first in range(0, LANES, size))
    return [folded(build, part, build.fadd) for part in parts]


def _added(
    build: Build, held: Value, activations: list[Value], integers: list[Value], scales: list[Value]
) -> Value:
    """Products of 32 pairs, a share's sum times its scale: an integer below 2²⁴, which fp32 has exactly."""
    size = len(integers) // len(scales)
    for share, scale in enumerate(scales):
        pairs = list(zip(integers, activations, strict=True))[size * share : size * (share + 1)]
        exact = reduce(build.add, (_pairs(build, *pair) for pair in pairs))
        held = fma(build, build.sitofp(exact, vector(FLOAT, LANES)), scale, held)
    return held


def _shorts(value: int) -> Value:
    return constants(SHORT, 2 * LANES, value)


def _pairs(build: Build, a: Value, b: Value) -> Value:
    """Products of 16-bit integers, neighbours added."""
    if has("avx2"):
        kinds = [vector(SHORT, 2 * LANES)] * 2
        return build.call(declared(build.module, MULTIPLY_ADD[LANES], vector(INT, LANES), kinds), [a, b])
    wide = vector(INT, 2 * LANES)
    products = build.mul(build.sext(a, wide), build.sext(b, wide))
    return build.add(*(lanes_of(build, products, range(first, 2 * LANES, 2)) for first in (0, 1)))


def _prefetch(build: Build, address: Value) -> None:
    """To be read, and soon."""
    name, kinds = "llvm.prefetch.p0", [POINTER, INT, INT, INT]
    build.call(declared(build.module, name, ir.VoidType(), kinds), [address, INT(0), INT(3), INT(1)])
