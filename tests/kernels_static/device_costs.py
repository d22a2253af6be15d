#!/usr/bin/env python3
"""Writes converter/bench/device_costs.json, what `handpick inspect --device` predicts from, out of the kept table.

    tests/kernels_static/device_costs.py [TABLE] >converter/bench/device_costs.json

Costs are cycles of llvm-mca's model of a core, for what one lane takes. What no loop says is a guess, and says so.
"""
import json
import os
import re
import sys

# Name, core, model, has SDOT, and assumptions: clock in GHz, GB/s in order out of memory, millions of random rows a second.
DEVICES = (
    ("a53", "Cortex-A53", "cortex-a53", False, 1.4, 2.0, 4.0),
    ("a55", "Cortex-A55", "cortex-a55", True, 1.8, 4.0, 6.0),
    ("a76", "Cortex-A76", "cortex-a76", True, 2.4, 10.0, 15.0),
    ("x1", "Cortex-X1", "cortex-x1", True, 2.8, 14.0, 20.0),
    ("m1", "Apple M1", "apple-m1", True, 3.2, 40.0, 40.0),
)

# Constant: (loops, numbers of an iteration). Cycles of the loops are added up; of several that match the first counts.
FLOAT_BLOCK = (r": DenseLayer.*, 64 fmla$", 256)
BYTE_BLOCK = (r", 64 sdot$", 1024)
LONG_BYTE_BLOCK = (r": AddInt8RowsByLongProducts, 32 smull$", 256)  # Without SDOT.
LOOPS = {
    "f32_mac": ([FLOAT_BLOCK[0]], FLOAT_BLOCK[1]),
    "int8_mac": ([BYTE_BLOCK[0]], BYTE_BLOCK[1]),
    "f32_mac_row": ([r"1x8__.*, 8 fmla$"], 32),
    "int8_mac_row": ([r"row_kernel: MultiplyInt8.*, 16 smull$"], 64),
    "element": ([r"panel_elements: AddPanel, \d+ instructions$"], 16),
    "fold_element": ([r"attention_unit: FoldEvent, 4 fmla #3$"], 48),
    "sigmoid": ([r"panel_activate: Activate, .* 4 quotients$"], 16),
    "int8_sigmoid": ([r"attention_unit: FinishPanel, 24 fmla, 4 quotients$"], 16),
    "gate": ([r"attention_recurrence: .*, 132 fmla, 12 quotients$"], 48),  # AUGRU's.
    "int8_gate": ([r"attention_recurrence: .*, 72 fmla, 12 quotients$"], 48),
    "row_gate": ([r"recurrent: GruStep, .* quotients$"], 12),
    "exponential": ([r"panel_elements: SoftmaxPanel, 9 instructions$", r"panel_elements: SoftmaxPanel, 36 fmla$",
                     r"panel_elements: SoftmaxPanel, 11 instructions$"], 16),
    "gather_element": ([r"panel_gather: TransposeIntoPanel, \d+ instructions$"], 16),
}
ASSUMED = {"pool_element": 0.1, "gather_row": 12, "tree_node": 3, "tree_node_row": 8, "step": 150, "product": 200,
           "request": 1500}


def cost(table, core, patterns, numbers):
    cycles = 0
    for pattern in patterns:
        rows = [row for name, row in table.items() if re.search(pattern, name)]
        if not rows:
            raise KeyError(f"no loop is like {pattern}")
        cycles += rows[0]["cores"][core][0]
    return cycles / numbers


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "table.json"), encoding="utf-8") as file:
        table = json.load(file)
    devices = []
    for name, core, model, dot_product, ghz, gigabytes, megarows in DEVICES:
        cycles = {}
        for constant, (patterns, numbers) in LOOPS.items():
            if not dot_product and constant == "int8_mac":
                patterns, numbers = [LONG_BYTE_BLOCK[0]], LONG_BYTE_BLOCK[1]
            cycles[constant] = [round(cost(table, model, patterns, numbers), 4), "mca"]
        cycles.update({constant: [guess, "assumed"] for constant, guess in ASSUMED.items()})
        devices.append({"name": name, "core": core, "model": model,
                        "instruction_set": "NEON, dot product" if dot_product else "NEON", "ghz": ghz,
                        "read_gigabytes": gigabytes, "random_megarows": megarows, "cycles": cycles})
    json.dump({
        "comment": ["Static analysis of the Android library's inner loops; written by tests/kernels_static/device_costs.py.",
                    "Cycles per lane. Nothing was measured on a device: clocks and what memory does are assumptions.",
                    "LLVM has no model of Cortex-A76 and X1 of its own: their cycles are those of Cortex-A57's."],
        "tool": "llvm-mca 19, clang 19 -O3", "devices": devices}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
