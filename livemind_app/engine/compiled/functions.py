"""Functions of fp32 numbers, eight at a time."""

from math import e, log2

from llvmlite import ir

from livemind_app.engine.compiled.emit import (
    FLOAT,
    INT,
    Build,
    Value,
    constants,
    declared,
    element,
    fma,
    load,
    store,
    vector,
)

LANES = 8
# Of e to the power of less than half a power of two, from the highest: Cephes, expf.
POWERS = (
    1.9875691500e-4,
    1.3981999507e-3,
    8.3334519073e-3,
    4.1665795894e-2,
    1.6666665459e-1,
    5.0000001201e-1,
)
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440e-4  # their sum is the logarithm of 2
LEAST, MOST = -87.0, 88.0  # powers of e that fp32 has


def eight(build: Build, base: Value, at: Value | int) -> Value:
    return load(build, element(build, base, FLOAT, at), vector(FLOAT, LANES))


def put(build: Build, values: Value, base: Value, at: Value | int) -> None:
    store(build, values, element(build, base, FLOAT, at))


def call(build: Build, name: str, *values: Value) -> Value:
    """A function that LLVM has, of vectors or numbers."""
    kind = values[0].type
    of = f"v{kind.count}f32" if isinstance(kind, ir.VectorType) else "f32"
    return build.call(declared(build.module, f"llvm.{name}.{of}", kind, [kind] * len(values)), list(values))


def whole(build: Build, values: Value) -> Value:
    """As integers; 0 for NaN."""
    name, kind = f"llvm.fptosi.sat.v{LANES}i32.v{LANES}f32", vector(INT, LANES)
    return build.call(declared(build.module, name, kind, [values.type]), [values])


def exponential(build: Build, values: Value) -> Value:
    """e to these powers, to the last bits; 0 below what fp32 has, and its largest above."""
    held = call(build, "minnum", call(build, "maxnum", values, _all(LEAST)), _all(MOST))
    twos = call(build, "rint", build.fmul(held, _all(log2(e))))
    rest = fma(build, twos, _all(-LN2_LOW), fma(build, twos, _all(-LN2_HIGH), held))
    series = _all(POWERS[0])
    for factor in POWERS[1:]:
        series = fma(build, series, rest, _all(factor))
    series = fma(build, build.fmul(rest, rest), series, build.fadd(rest, _all(1.0)))
    exponents = build.shl(
        build.add(whole(build, twos), constants(INT, LANES, 127)), constants(INT, LANES, 23)
    )
    result = build.fmul(series, build.bitcast(exponents, vector(FLOAT, LANES)))
    return build.select(build.fcmp_ordered("<", values, _all(LEAST)), _all(0.0), result)


def _all(value: float) -> Value:
    return constants(FLOAT, LANES, value)
