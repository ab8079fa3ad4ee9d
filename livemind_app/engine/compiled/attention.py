"""Attention of a few rows of one sequence (arXiv 1706.03762, section 3.2.1), with what stands around it.

Queries and keys are turned to their positions (arXiv 2104.09864, a head's second half with the first), keys
and values written where they stay, and each row's heads attend to what the row sees: softmax in fp32.
"""

from collections.abc import Callable
from ctypes import c_float, c_int32, c_int64, c_void_p
from functools import cache
from types import SimpleNamespace

from llvmlite import ir

from livemind_app.engine.compiled import threads
from livemind_app.engine.compiled.emit import (
    BYTE,
    FLOAT,
    INT,
    LONG,
    POINTER,
    Build,
    Fields,
    Value,
    constants,
    defined,
    element,
    fma,
    folded,
    load,
    loop,
    spread,
    store,
    taken,
)
from livemind_app.engine.compiled.functions import LANES, eight, exponential, put
from livemind_app.engine.compiled.machine import Machine, empty

HIDDEN = -3.0e38  # the score of what is not seen: finite, so that a row that sees nothing has no NaN
TOGETHER = 8  # vectors of an output that are summed at once
MULTIPLE = 16  # what the size of a head is of: its halves are turned eight at a time
P, N = c_void_p, c_int64
ARGUMENTS = (P, P, P, P, P, P, P, P, N, N, N, N, N, c_float, c_int32)
TASK = Fields(
    heads=POINTER,  # [rows, query heads + 2 kv heads, size]
    cosine=POINTER,  # [rows, size]
    sine=POINTER,  # [rows, size], negative in the first half
    keys=POINTER,  # [kv heads, capacity, size]
    values=POINTER,
    mask=POINTER,  # [rows, start + rows] bytes, 0 for what is not seen; or null
    out=POINTER,  # [rows, query heads, size]
    scratch=POINTER,
    rows=LONG,
    query_heads=LONG,
    kv_heads=LONG,
    capacity=LONG,
    start=LONG,
    scaling=FLOAT,
    following=LONG,
)


@cache
def attend(size: int) -> Callable[..., None]:
    """`f(heads, cosine, sine, keys, values, mask, out, scratch, rows, query heads, kv heads, capacity, start,
    scaling, threads)`, shapes as above, addresses of fp32; sizes of heads are a multiple of 16."""
    module = empty()
    work = _emit_work(module, size)
    kinds = [*TASK.kinds[:-1], INT]
    function, build = defined(module, "attend", kinds)
    task = TASK.stored(build, [*function.args[:-1], LONG(0)])
    _emit_turn(build, TASK.loaded(build, task), size)
    threads.in_parallel(build, work, task, function.args[-1])
    build.ret_void()
    return Machine(module, threads.symbols()).function("attend", ARGUMENTS)


def scratch_bytes(rows: int, query_heads: int, size: int, tokens: int) -> int:
    """For turned queries, and for each row's and head's scores."""
    return 4 * rows * query_heads * (size + _padded(tokens))


def _padded(tokens: int) -> int:
    return -(-tokens // LANES) * LANES


def _emit_turn(build: Build, task: SimpleNamespace, size: int) -> None:
    """All heads of all rows: queries into the scratch, keys and values where they stay."""
    all_heads = build.add(task.query_heads, build.add(task.kv_heads, task.kv_heads))

    def row(index: Value) -> None:
        angles = build.mul(index, LONG(size))
        cosine, sine = (element(build, table, FLOAT, angles) for table in (task.cosine, task.sine))
        source = element(build, task.heads, FLOAT, build.mul(build.mul(index, all_heads), LONG(size)))
        place = build.mul(build.add(task.start, index), LONG(size))

        def query(head: Value) -> None:
            at = build.add(build.mul(index, task.query_heads), head)
            target = element(build, task.scratch, FLOAT, build.mul(at, LONG(size)))
            _turned(
                build, element(build, source, FLOAT, build.mul(head, LONG(size))), target, cosine, sine, size
            )

        def key(head: Value) -> None:
            at = build.add(build.mul(build.mul(head, task.capacity), LONG(size)), place)
            first = build.add(task.query_heads, head)
            keys = element(build, source, FLOAT, build.mul(first, LONG(size)))
            _turned(build, keys, element(build, task.keys, FLOAT, at), cosine, sine, size)
            values = element(build, source, FLOAT, build.mul(build.add(first, task.kv_heads), LONG(size)))
            target = element(build, task.values, FLOAT, at)
            for part in range(0, size, LANES):
                put(build, eight(build, values, part), target, part)

        loop(build, (LONG(0), task.query_heads, 1), query)
        loop(build, (LONG(0), task.kv_heads, 1), key)

    loop(build, (LONG(0), task.rows, 1), row)


def _turned(build: Build, source: Value, target: Value, cosine: Value, sine: Value, size: int) -> None:
    for at in range(0, size, LANES):
        here, other = eight(build, source, at), eight(build, source, (at + size // 2) % size)
        straight = build.fmul(here, eight(build, cosine, at))
        put(build, fma(build, other, eight(build, sine, at), straight), target, at)


def _emit_work(module: ir.Module, size: int) -> ir.Function:
    """A row's head at a time."""
    work, build = defined(module, "work", [POINTER])
    task = TASK.loaded(build, work.args[0])
    seen = build.add(task.start, task.rows)
    padded = build.and_(build.add(seen, LONG(LANES - 1)), LONG(-LANES))
    count = build.mul(task.rows, task.query_heads)
    scores_of_all = element(build, task.scratch, FLOAT, build.mul(count, LONG(size)))

    def one(index: Value) -> None:
        row, head = build.sdiv(index, task.query_heads), build.srem(index, task.query_heads)
        group = build.sdiv(task.query_heads, task.kv_heads)
        first = build.mul(build.mul(build.sdiv(head, group), task.capacity), LONG(size))
        query = element(build, task.scratch, FLOAT, build.mul(index, LONG(size)))
        scores = element(build, scores_of_all, FLOAT, build.mul(index, padded))
        put(build, constants(FLOAT, LANES, HIDDEN), scores, build.sub(padded, LONG(LANES)))
        keys = element(build, task.keys, FLOAT, first)
        sees = _sees(build, task, build.mul(row, seen))
        most = _scores(build, (query, keys, scores), sees, seen, (task.scaling, size))
        total = _softmax(build, scores, padded, most)
        out = element(build, task.out, FLOAT, build.mul(index, LONG(size)))
        values = element(build, task.values, FLOAT, first)
        _weighted(build, (scores, values, out), seen, build.fdiv(FLOAT(1), total), size)

    taken(build, TASK.address(build, work.args[0], "following"), count, one)
    build.ret_void()
    return work


def _sees(build: Build, task: SimpleNamespace, first: Value) -> Callable[[Value], Value]:
    """Whether a row sees a token; all where there is no mask, when some other byte is read instead."""
    free = build.icmp_unsigned("==", build.ptrtoint(task.mask, LONG), LONG(0))
    base = build.select(free, task.scratch, element(build, task.mask, BYTE, first))

    def sees(token: Value) -> Value:
        byte = load(build, element(build, base, BYTE, build.select(free, LONG(0), token)), BYTE)
        return build.or_(free, build.icmp_unsigned("!=", byte, BYTE(0)))

    return sees


def _scores(
    build: Build,
    places: tuple[Value, Value, Value],
    sees: Callable[[Value], Value],
    seen: Value,
    scale: tuple[Value, int],
) -> Value:
    """The query with each key; the largest."""
    (query, keys, scores), (scaling, size) = places, scale

    def token(index: Value, most: Value) -> list[Value]:
        key = element(build, keys, FLOAT, build.mul(index, LONG(size)))
        total = constants(FLOAT, LANES, 0.0)
        for at in range(0, size, LANES):
            total = fma(build, eight(build, query, at), eight(build, key, at), total)
        score = build.fmul(folded(build, total, build.fadd), scaling)
        score = build.select(sees(index), score, FLOAT(HIDDEN))
        store(build, score, element(build, scores, FLOAT, index))
        return [build.select(build.fcmp_ordered(">", score, most), score, most)]

    (most,) = loop(build, (LONG(0), seen, 1), token, [FLOAT(HIDDEN)])
    return most


def _softmax(build: Build, scores: Value, padded: Value, most: Value) -> Value:
    """Powers of e in place of the scores; their sum."""
    largest = spread(build, most, LANES)

    def some(at: Value, total: Value) -> list[Value]:
        powers = exponential(build, build.fsub(eight(build, scores, at), largest))
        put(build, powers, scores, at)
        return [build.fadd(total, powers)]

    (total,) = loop(build, (LONG(0), padded, LANES), some, [constants(FLOAT, LANES, 0.0)])
    return folded(build, total, build.fadd)


def _weighted(build: Build, places: tuple[Value, Value, Value], seen: Value, scale: Value, size: int) -> None:
    """The sum of the values by their shares."""
    shares, values, out = places
    for first in range(0, size, LANES * TOGETHER):
        parts = range(first, min(size, first + LANES * TOGETHER), LANES)

        def token(index: Value, *held: Value, parts: range = parts) -> list[Value]:
            share = spread(build, load(build, element(build, shares, FLOAT, index), FLOAT), LANES)
            value = element(build, values, FLOAT, build.mul(index, LONG(size)))
            return [fma(build, share, eight(build, value, at), h) for at, h in zip(parts, held, strict=True)]

        zeros = [constants(FLOAT, LANES, 0.0)] * len(parts)
        for at, total in zip(parts, loop(build, (LONG(0), seen, 1), token, zeros), strict=True):
            put(build, build.fmul(total, spread(build, scale, LANES)), out, at)
