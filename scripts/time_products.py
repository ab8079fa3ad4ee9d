"""One matrix times a few rows, by the kernels compiled here and by torch's: milliseconds, best of many turns.

python scripts/time_products.py [--outputs 8960] [--inputs 1536] [--rounds 25]
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from livemind_app.engine.packed.groups import GroupLinear
from livemind_app.engine.packed.quantize import Int4Groups, Int6Groups, Int8Groups

ROWS = (1, 2, 4, 8, 16, 64)
COPIES = 8  # of the matrix, so that each is read from memory
Product = Callable[[Tensor], Tensor]


def products(outputs: int, inputs: int) -> dict[str, Product]:
    """By name; random weights."""
    groups = inputs // 32
    scales = torch.rand(outputs, groups)
    q8 = torch.randint(-127, 128, (outputs, inputs), dtype=torch.int8)
    q4 = torch.randint(0, 16, (outputs, inputs), dtype=torch.uint8)
    ones, table = torch.ones(outputs).bfloat16(), torch.rand(groups, outputs, 2).bfloat16()
    packed4 = torch.ops.aten._convert_weight_to_int4pack_for_cpu(q4.int(), 1)
    ours8 = Int8Groups(q8, scales.half()).tensors()["tiles"]
    ours4 = Int4Groups(q4, scales.half(), scales.half()).tensors()["tiles"]
    ours6 = Int6Groups(q4, scales.repeat_interleave(2, dim=1).half()).tensors()["tiles"]
    plain = q8.float()
    return {
        "fp32": lambda x: x @ plain.t(),
        "torch, 8 bits": lambda x: torch.ops.aten._weight_int8pack_mm(x.bfloat16(), q8, ones),
        "torch, 4 bits": lambda x: torch._weight_int4pack_mm_for_cpu(x.bfloat16(), packed4, 32, table),
        "compiled, 8 bits": GroupLinear(ours8, outputs).rows,
        "compiled, 6 bits": GroupLinear(ours6, outputs).rows,
        "compiled, 4 bits": GroupLinear(ours4, outputs).rows,
    }


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in (("outputs", 8960), ("inputs", 1536), ("rounds", 25)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    copies = [products(asked.outputs, asked.inputs) for _ in range(COPIES)]
    best: dict[tuple[str, int], float] = {}
    for _ in range(asked.rounds):
        for rows in ROWS:
            x = torch.randn(rows, asked.inputs)
            for name in copies[0]:
                start = time.perf_counter()
                for copy in copies:
                    copy[name](x)
                taken = (time.perf_counter() - start) / COPIES * 1000
                best[name, rows] = min(best.get((name, rows), taken), taken)
    print("| ms, rows | " + " | ".join(map(str, ROWS)) + " |")
    print("| --- |" + " ---: |" * len(ROWS))
    for name in copies[0]:
        print(f"| {name} | " + " | ".join(f"{best[name, rows]:.2f}" for rows in ROWS) + " |")


if __name__ == "__main__":
    main()
