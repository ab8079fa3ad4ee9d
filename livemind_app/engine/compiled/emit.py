"""LLVM's language in few words: vectors, addresses, loops."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TypeAlias

from llvmlite import ir

VOID, FLOAT, HALF, POINTER = ir.VoidType(), ir.FloatType(), ir.HalfType(), ir.PointerType()
Build: TypeAlias = ir.IRBuilder
Value: TypeAlias = ir.Value
BYTE, SHORT, INT, LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))


def declared(module: ir.Module, name: str, result: ir.Type, arguments: Sequence[ir.Type]) -> ir.Function:
    """A function of this name that is defined elsewhere."""
    known: ir.Function | None = module.globals.get(name)
    return known or ir.Function(module, ir.FunctionType(result, arguments), name)


def defined(module: ir.Module, name: str, arguments: Sequence[ir.Type]) -> tuple[ir.Function, Build]:
    """A new function without a result, and the builder of its body."""
    made = ir.Function(module, ir.FunctionType(VOID, arguments), name)
    return made, Build(made.append_basic_block())


def vector(kind: ir.Type, lanes: int) -> ir.VectorType:
    return ir.VectorType(kind, lanes)


def constants(kind: ir.Type, lanes: int, value: float) -> Value:
    """The same number in every lane."""
    return ir.Constant(vector(kind, lanes), [value] * lanes)


def spread(build: Build, value: Value, lanes: int) -> Value:
    """A number in every lane."""
    first = build.insert_element(ir.Constant(vector(value.type, lanes), ir.Undefined), value, INT(0))
    return lanes_of(build, first, [0] * lanes)


def lanes_of(build: Build, value: Value, lanes: Sequence[int]) -> Value:
    return build.shuffle_vector(value, value, ir.Constant(vector(INT, len(lanes)), list(lanes)))


def folded(build: Build, value: Value, combine: Callable[[Value, Value], Value]) -> Value:
    """All lanes as one number: halves combined, always in this order."""
    lanes = value.type.count
    while lanes > 1:
        lanes //= 2
        low, high = (lanes_of(build, value, range(start, start + lanes)) for start in (0, lanes))
        value = combine(low, high)
    return build.extract_element(value, INT(0))


def element(build: Build, base: Value, kind: ir.Type, index: Value | int) -> Value:
    """Its address."""
    return build.gep(base, [LONG(index) if isinstance(index, int) else index], source_etype=kind)


def load(build: Build, address: Value, kind: ir.Type) -> Value:
    return build.load(address, typ=kind, align=1)


def store(build: Build, value: Value, address: Value) -> None:
    build.store(value, address, align=1)


def fma(build: Build, a: Value, b: Value, c: Value) -> Value:
    """a * b + c, rounded once."""
    kind = f"v{a.type.count}f32" if isinstance(a.type, ir.VectorType) else "f32"
    return build.call(declared(build.module, f"llvm.fma.{kind}", a.type, [a.type] * 3), [a, b, c])


def quotient(build: Build, a: Value, b: Value) -> Value:
    """Rounded up."""
    return build.sdiv(build.add(a, build.sub(b, LONG(1))), b)


def smaller(build: Build, a: Value, b: Value) -> Value:
    return build.select(build.icmp_signed("<", a, b), a, b)


def loop(
    build: Build,
    range_: tuple[Value, Value, Value | int],
    body: Callable[..., Sequence[Value] | None],
    carried: Sequence[Value] = (),
) -> list[Value]:
    """`carried = body(index, *carried)` from start to stop by a step; what is carried at last."""
    start, stop, step = range_
    before, inside, after = build.block, build.append_basic_block(), build.append_basic_block()
    build.cbranch(build.icmp_signed("<", start, stop), inside, after)
    build.position_at_end(inside)
    index, *held = (build.phi(value.type) for value in (start, *carried))
    new = body(index, *held) or ()
    following = build.add(index, LONG(step) if isinstance(step, int) else step)
    end = build.block
    for phi, first, last in zip((index, *held), (start, *carried), (following, *new), strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(last, end)
    build.cbranch(build.icmp_signed("<", following, stop), inside, after)
    build.position_at_end(after)
    return [_either(build, (first, before), (last, end)) for first, last in zip(carried, new, strict=True)]


def _either(build: Build, *incoming: tuple[Value, ir.Block]) -> Value:
    phi = build.phi(incoming[0][0].type)
    for value, block in incoming:
        phi.add_incoming(value, block)
    return phi


def taken(build: Build, counter: Value, count: Value, body: Callable[[Value], None]) -> None:
    """`body(index)` for indices below `count` that no other thread has taken from the counter."""
    again, inside, after = (build.append_basic_block() for _ in range(3))
    build.branch(again)
    build.position_at_end(again)
    index = build.atomic_rmw("add", counter, LONG(1), "monotonic")
    build.cbranch(build.icmp_signed("<", index, count), inside, after)
    build.position_at_end(inside)
    body(index)
    build.branch(again)
    build.position_at_end(after)


def chosen(build: Build, choice: Value, ways: Sequence[Callable[[], Value]]) -> Value:
    """The value of the way with this number."""
    after, incoming = build.append_basic_block(), []
    blocks = [build.append_basic_block() for _ in ways]
    switch = build.switch(choice, blocks[0])
    for number, (block, way) in enumerate(zip(blocks, ways, strict=True)):
        switch.add_case(INT(number), block)
        build.position_at_end(block)
        incoming.append((way(), build.block))
        build.branch(after)
    build.position_at_end(after)
    return _either(build, *incoming)


class Fields:
    """Values by name that lie together in memory, for all threads."""

    def __init__(self, **kinds: ir.Type) -> None:
        self.kinds = list(kinds.values())
        self._names = list(kinds)
        self._type = ir.LiteralStructType(self.kinds)

    def stored(self, build: Build, values: Sequence[Value]) -> Value:
        """Their address, as long as the function lasts."""
        place = build.alloca(self._type)
        for index, value in enumerate(values):
            store(build, value, build.gep(place, [INT(0), INT(index)]))
        return place

    def loaded(self, build: Build, place: Value) -> SimpleNamespace:
        addresses = [self.address(build, place, name) for name in self._names]
        values = [load(build, *each) for each in zip(addresses, self.kinds, strict=True)]
        return SimpleNamespace(**dict(zip(self._names, values, strict=True)))

    def address(self, build: Build, place: Value, name: str) -> Value:
        return build.gep(place, [INT(0), INT(self._names.index(name))], source_etype=self._type)
