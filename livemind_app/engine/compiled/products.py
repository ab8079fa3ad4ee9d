"""Activations times weights, rows by rows and tiles by threads.

A row's activations are 16-bit integers, so products and their sums within a group are exact; sums of groups
are fp32, added in one order. So a row among many is, bit for bit, that row alone.
"""

from collections.abc import Callable
from ctypes import c_float, c_int32, c_int64, c_void_p
from functools import cache
from types import SimpleNamespace

from llvmlite import ir

from livemind_app.engine.compiled import threads
from livemind_app.engine.compiled.digits import INPUT, emit_digits
from livemind_app.engine.compiled.emit import (
    BYTE,
    FLOAT,
    INT,
    LONG,
    POINTER,
    SHORT,
    Build,
    Fields,
    Value,
    defined,
    element,
    loop,
    quotient,
    smaller,
    taken,
)
from livemind_app.engine.compiled.machine import Machine, empty
from livemind_app.engine.compiled.tiles import GROUP, MOST, TILE, Form, emit_tile

PIECES = 8  # of the tiles, for each thread
P, N = c_void_p, c_int64
ARGUMENTS = (P, N, N, c_int32, P, c_float, P, P, N, N, P, P, N, c_int32)
KINDS = [POINTER, LONG, LONG, INT, POINTER, FLOAT, *[POINTER] * 2, LONG, LONG, *[POINTER] * 2, LONG, INT]
TASK = Fields(
    digits=POINTER,  # of all rows, with their sums and steps, as `emit_digits` says
    sums=POINTER,
    steps=POINTER,
    weights=POINTER,
    offsets=POINTER,
    distance=LONG,  # of the offsets of two rows
    y=POINTER,
    rows=LONG,
    inputs=LONG,
    outputs=LONG,
    at_a_time=LONG,  # rows
    height=LONG,  # tiles that are taken together
    following=LONG,  # what is taken next
)


@cache
def multiply(bits: int) -> Callable[..., None]:
    """`f(x, rows, inputs, before, norm, epsilon, weights, offsets, distance, outputs, y, scratch, at_a_time,
    threads)`.

    `x` [rows, inputs] and `y` [rows, outputs] are addresses of fp32, `weights` of tiles, `scratch` of
    `scratch_bytes`. `before` is what is done with a row first (`digits.Before`). `offsets` are added: those
    of a row are `distance` behind those of the last, 0 for a bias. Inputs are a multiple of 32, outputs of 4.
    `at_a_time`, a multiple of 8, is how many rows are multiplied with all weights before the next ones.
    """
    module = empty()
    form = Form(bits)
    _emit_multiply(module, form, emit_digits(module, form), _emit_work(module, form))
    return Machine(module, threads.symbols()).function("multiply", ARGUMENTS)


def scratch_bytes(rows: int, inputs: int) -> int:
    """For the integers, the sums of their groups' shares, each row's step, and a row that is prepared."""
    return rows * (2 * inputs + 8 * (inputs // GROUP) + 4) + 4 * inputs


def _emit_multiply(module: ir.Module, form: Form, digits: ir.Function, work: ir.Function) -> None:
    multiply, build = defined(module, "multiply", KINDS)
    x, rows, inputs, before, norm, epsilon, *rest, at_a_time, count = multiply.args
    weights, offsets, distance, outputs, y, scratch = rest
    sums = element(build, scratch, SHORT, build.mul(rows, inputs))
    steps = element(build, sums, FLOAT, build.mul(rows, build.sdiv(inputs, LONG(GROUP // form.shares))))
    spare = element(build, steps, FLOAT, rows)
    given = (x, rows, inputs, before, norm, epsilon, scratch, sums, steps, spare)
    build.call(digits, [INPUT.stored(build, given)])
    height = quotient(
        build, build.sdiv(outputs, LONG(TILE)), build.mul(build.sext(count, LONG), LONG(PIECES))
    )
    product = (scratch, sums, steps, weights, offsets, distance, y, rows, inputs, outputs, at_a_time)
    threads.in_parallel(build, work, TASK.stored(build, (*product, height, LONG(0))), count)
    build.ret_void()


def _emit_work(module: ir.Module, form: Form) -> ir.Function:
    """Some tiles for as many rows as the cache holds, and again, until none are left.

    Threads take what comes next: one that others hold up, as on a shared processor, takes less.
    """
    functions = [emit_tile(module, form, rows) for rows in range(1, MOST + 1)]
    work, build = defined(module, "work", [POINTER])
    task = TASK.loaded(build, work.args[0])
    tiles = build.sdiv(task.outputs, LONG(TILE))
    pieces = quotient(build, tiles, task.height)

    def piece(index: Value) -> None:
        first = build.mul(build.srem(index, pieces), task.height)
        last = smaller(build, build.add(first, task.height), tiles)
        start = build.mul(build.sdiv(index, pieces), task.at_a_time)
        rows = start, smaller(build, build.add(start, task.at_a_time), task.rows)
        loop(build, (first, last, 1), lambda tile: _emit_rows(build, form, functions, task, tile, rows))

    count = build.mul(pieces, quotient(build, task.rows, task.at_a_time))
    taken(build, TASK.address(build, work.args[0], "following"), count, piece)
    build.ret_void()
    return work


def _emit_rows(
    build: Build,
    form: Form,
    tiles: list[ir.Function],
    task: SimpleNamespace,
    tile: Value,
    rows: tuple[Value, Value],
) -> None:
    """Of a tile, a few at a time."""
    groups = build.sdiv(task.inputs, LONG(GROUP))
    output = build.mul(tile, LONG(TILE))
    weights = element(build, task.weights, BYTE, build.mul(tile, build.mul(groups, LONG(form.step))))

    def few(row: Value) -> None:
        digits = element(build, task.digits, SHORT, build.mul(row, task.inputs))
        sums = element(build, task.sums, FLOAT, build.mul(build.mul(row, groups), LONG(form.shares)))
        steps = element(build, task.steps, FLOAT, row)
        y = element(build, task.y, FLOAT, build.add(build.mul(row, task.outputs), output))
        offset = build.add(build.mul(row, task.distance), output)
        offsets = element(build, task.offsets, FLOAT, offset)
        arguments = [digits, sums, steps, weights, offsets, y, groups, task.outputs, task.distance]
        _call_one(build, tiles, smaller(build, build.sub(rows[1], row), LONG(MOST)), arguments)

    loop(build, (*rows, MOST), few)


def _call_one(build: Build, tiles: list[ir.Function], rows: Value, arguments: list[Value]) -> None:
    """The function for so many rows."""
    after = build.append_basic_block()
    choice = build.switch(rows, after)
    for count, tile in enumerate(tiles, start=1):
        block = build.append_basic_block()
        choice.add_case(LONG(count), block)
        build.position_at_end(block)
        build.call(tile, arguments)
        build.branch(after)
    build.position_at_end(after)
