"""Rows of activations as 16-bit integers, each by its largest magnitude: `x = digits * step`.

That is finer than bf16, which keeps 8 bits of each activation. A row may be prepared on the way, by what a
layer of Llama (arXiv 2302.13971, section 2.2) computes in front of a projection.
"""

from collections.abc import Callable
from enum import IntEnum
from types import SimpleNamespace

from llvmlite import ir

from livemind_app.engine.compiled.emit import (
    FLOAT,
    INT,
    LONG,
    POINTER,
    SHORT,
    Build,
    Fields,
    Value,
    chosen,
    constants,
    defined,
    element,
    folded,
    loop,
    smaller,
    spread,
    store,
    vector,
)
from livemind_app.engine.compiled.functions import LANES, call, eight, exponential, put, whole
from livemind_app.engine.compiled.tiles import GROUP, MOST, Form

LARGEST = 32767
TINIEST = 1e-30  # of a row's largest magnitude, so that it has an inverse


class Before(IntEnum):
    """What is done with a row first."""

    NOTHING = 0
    NORM = 1  # by the root of the mean square (arXiv 1910.07467), times weights
    GATE = 2  # its first half through the sigmoid linear unit, times its second


INPUT = Fields(
    x=POINTER,  # [rows, inputs], twice as wide where it is gated
    rows=LONG,
    inputs=LONG,
    before=INT,  # a Before
    norm=POINTER,  # [inputs]
    epsilon=FLOAT,
    digits=POINTER,
    sums=POINTER,
    steps=POINTER,
    spare=POINTER,  # [inputs]
)


def emit_digits(module: ir.Module, form: Form) -> ir.Function:
    """`digits(input)`: [rows, inputs] fp32 → integers as `tiles` reads them.

    Of 8 rows (of what is left at last) in 16 bits [groups, rows, 32], the sums of each share of the 32 in
    fp32 [groups, shares, rows], and each row's step. A row with a NaN has a NaN as its step.
    """
    digits, build = defined(module, "digits", [POINTER])
    given = INPUT.loaded(build, digits.args[0])
    groups = build.sdiv(given.inputs, LONG(GROUP))

    def row(index: Value) -> None:
        values = _prepared(build, given, index)
        largest = _largest(build, values, given.inputs)
        store(build, build.fdiv(largest, FLOAT(LARGEST)), element(build, given.steps, FLOAT, index))
        inverse = spread(build, build.fdiv(FLOAT(LARGEST), largest), LANES)
        block = build.and_(index, LONG(-MOST))
        together = smaller(build, build.sub(given.rows, block), LONG(MOST))

        def group(at: Value) -> None:
            """Of each group first one row's integers, then the next one's."""
            place = build.add(build.mul(at, together), build.sub(index, block))
            target = build.add(build.mul(block, given.inputs), build.mul(place, LONG(GROUP)))
            source = element(build, values, FLOAT, build.mul(at, LONG(GROUP)))
            totals = _rounded(
                build, source, element(build, given.digits, SHORT, target), inverse, form.shares
            )
            first = build.mul(build.add(build.mul(block, groups), build.mul(at, together)), LONG(form.shares))
            for share, total in enumerate(totals):
                place = build.add(first, build.add(build.mul(LONG(share), together), build.sub(index, block)))
                store(build, build.sitofp(total, FLOAT), element(build, given.sums, FLOAT, place))

        loop(build, (LONG(0), groups, 1), group)

    loop(build, (LONG(0), given.rows, 1), row)
    build.ret_void()
    return digits


def _prepared(build: Build, given: SimpleNamespace, index: Value) -> Value:
    """Where the row's numbers are: as they were given, or in the spare row."""
    x = element(build, given.x, FLOAT, build.mul(index, given.inputs))

    def normed() -> Value:
        scale = spread(build, _inverse_length(build, x, given), LANES)
        return filled(
            lambda at: build.fmul(build.fmul(eight(build, x, at), scale), eight(build, given.norm, at))
        )

    def gated() -> Value:
        gates = element(build, given.x, FLOAT, build.mul(build.mul(index, given.inputs), LONG(2)))
        through = element(build, gates, FLOAT, given.inputs)
        return filled(lambda at: build.fmul(_silu(build, eight(build, gates, at)), eight(build, through, at)))

    def filled(number: Callable[[Value], Value]) -> Value:
        loop(build, (LONG(0), given.inputs, LANES), lambda at: put(build, number(at), given.spare, at))
        return given.spare

    return chosen(build, given.before, (lambda: x, normed, gated))


def _inverse_length(build: Build, x: Value, given: SimpleNamespace) -> Value:
    def some(at: Value, total: Value) -> list[Value]:
        values = eight(build, x, at)
        return [build.fadd(total, build.fmul(values, values))]

    (total,) = loop(build, (LONG(0), given.inputs, LANES), some, [constants(FLOAT, LANES, 0.0)])
    mean = build.fdiv(folded(build, total, build.fadd), build.sitofp(given.inputs, FLOAT))
    return build.fdiv(FLOAT(1), call(build, "sqrt", build.fadd(mean, given.epsilon)))


def _silu(build: Build, values: Value) -> Value:
    one = constants(FLOAT, LANES, 1.0)
    return build.fdiv(values, build.fadd(exponential(build, build.fneg(values)), one))


def _largest(build: Build, values: Value, inputs: Value) -> Value:
    """The magnitude; NaN if there is one."""
    tiniest = constants(FLOAT, LANES, TINIEST)

    def some(at: Value, held: Value) -> list[Value]:
        return [call(build, "maximum", call(build, "fabs", eight(build, values, at)), held)]

    (held,) = loop(build, (LONG(0), inputs, LANES), some, [tiniest])
    return folded(build, held, lambda a, b: call(build, "maximum", a, b))


def _rounded(build: Build, source: Value, target: Value, inverse: Value, shares: int) -> list[Value]:
    """A group's 32, written; the sum of each share."""
    totals = [constants(INT, LANES, 0)] * shares
    for at in range(0, GROUP, LANES):
        integers = whole(build, call(build, "rint", build.fmul(eight(build, source, at), inverse)))
        store(build, build.trunc(integers, vector(SHORT, LANES)), element(build, target, SHORT, at))
        share = at * shares // GROUP
        totals[share] = build.add(totals[share], integers)
    return [folded(build, total, build.add) for total in totals]
