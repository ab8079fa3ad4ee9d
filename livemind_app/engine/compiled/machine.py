"""From LLVM's language to functions that Python calls."""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llvmlite import binding as llvm
from llvmlite import ir

VNNI = ("avx512vnni", "avxvnni")  # by LLVM's names
# Products and their sum in one instruction where there is one. LLVM takes two, which are ready sooner; of
# the many sums here none waits for another.
FUSED = "fast-dpwssd"


class Machine:
    """A module's code for this processor, kept by its functions.

    LLVM's passes over the module are left out: they took as long again and made nothing faster.
    """

    def __init__(self, module: ir.Module, symbols: Mapping[str, int]) -> None:
        """`symbols`: addresses of what it calls by name."""
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        for name, address in symbols.items():
            llvm.add_symbol(name, address)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(str(module)), _target())
        self._engine.finalize_object()

    def function(self, name: str, arguments: Sequence[Any]) -> Callable[..., None]:
        """With arguments of these types of `ctypes`. Other threads of Python run while it does."""
        made: Any = ctypes.CFUNCTYPE(None, *arguments)(self._engine.get_function_address(name))
        made.code = self
        return made  # type: ignore[no-any-return]


def empty() -> ir.Module:
    """A module for this processor."""
    module = ir.Module()
    module.triple = llvm.get_process_triple()
    return module


def has(feature: str) -> bool:
    """Whether this processor has it, by LLVM's name."""
    return bool(llvm.get_host_cpu_features().get(feature))


def _target() -> llvm.TargetMachine:
    features = llvm.get_host_cpu_features().flatten()
    if any(map(has, VNNI)):
        features += f",+{FUSED}"
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=2
    )
