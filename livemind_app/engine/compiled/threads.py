"""Torch's own threads, for code that is compiled here.

A second pool would fight with them for the cores, since between two operations they wait busily.
"""

import ctypes
from functools import cache

import torch
from llvmlite import ir

from livemind_app.engine.compiled.emit import (
    BYTE,
    INT,
    POINTER,
    VOID,
    Build,
    Value,
    declared,
    defined,
)

GNU, LLVM = "GOMP_parallel", "__kmpc_fork_call"  # one of them starts the threads of torch's OpenMP
SYMBOLS = {GNU: (GNU,), LLVM: (LLVM, "__kmpc_global_thread_num", "__kmpc_push_num_threads")}
LIBRARIES = (None, "libomp.dylib", "libiomp5md.dll")  # None: all that is loaded
KMPC = 2  # in an `ident_t`: called by what a compiler made
PLACE = b";livemind;;0;0;;\0"


@cache
def symbols() -> dict[str, int]:
    """Addresses of these functions by name; none where torch has no OpenMP that is known."""
    torch.get_num_threads()  # it is loaded by now
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except (OSError, TypeError):  # TypeError: Windows has no library of all that is loaded
            continue
        for names in SYMBOLS.values():
            if all(hasattr(library, symbol) for symbol in names):
                return {symbol: _address(library, symbol) for symbol in names}
    return {}


def _address(library: ctypes.CDLL, symbol: str) -> int:
    return ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value or 0


def in_parallel(build: Build, work: ir.Function, task: Value, threads: Value) -> None:
    """`work(task)` on so many threads at once, or on this one."""
    names = symbols()
    if GNU in names:
        start = declared(build.module, GNU, VOID, [POINTER, POINTER, INT, INT])
        build.call(start, [work, task, threads, INT(0)])
    elif LLVM in names:
        _fork(build, work, task, threads)
    else:
        build.call(work, [task])


def _fork(build: Build, work: ir.Function, task: Value, threads: Value) -> None:
    module, place = build.module, _place(build.module)
    mine = build.call(declared(module, "__kmpc_global_thread_num", INT, [POINTER]), [place])
    build.call(declared(module, "__kmpc_push_num_threads", VOID, [POINTER, INT, INT]), [place, mine, threads])
    start = ir.Function(module, ir.FunctionType(VOID, [POINTER, INT, POINTER], var_arg=True), LLVM)
    build.call(start, [place, INT(1), _outlined(module, work), task])


def _outlined(module: ir.Module, work: ir.Function) -> ir.Function:
    """As this OpenMP calls it: behind two numbers of the thread."""
    outlined, build = defined(module, f"{work.name}_outlined", [POINTER] * 3)
    build.call(work, [outlined.args[2]])
    build.ret_void()
    return outlined


def _place(module: ir.Module) -> Value:
    """Where in the source this is, which that OpenMP wants to be told (`ident_t`)."""
    text = _constant(module, "place_text", ir.Constant(ir.ArrayType(BYTE, len(PLACE)), bytearray(PLACE)))
    return _constant(module, "place", ir.Constant.literal_struct([INT(0), INT(KMPC), INT(0), INT(0), text]))


def _constant(module: ir.Module, name: str, value: ir.Constant) -> Value:
    made = ir.GlobalVariable(module, value.type, name)
    made.initializer, made.linkage = value, "internal"
    return made
