#!/usr/bin/env python3
"""Static analysis of the arm64 kernels' inner loops: no device, llvm-mca's model of each core instead.

    tests/kernels_static/analyse.py OBJECT...                  a line per loop
    tests/kernels_static/analyse.py OBJECT... --write FILE     the table, to be kept
    tests/kernels_static/analyse.py OBJECT... --check FILE     exit status 1 where a loop differs from the kept table

OBJECT: of sdk/kernels and sdk/recall, as `bazel build --config=android-arm64 //sdk:panel_kernels` leaves them.
"""
import argparse
import json
import shutil
import sys

import inner_loops

# Cycles may differ by it from the kept table: two builds with other random names of temporary labels differ by nothing.
TOLERANCE = 0.03
# A loop of at most so many times llvm-mca's bound waits for nothing that matters.
NEAR_BOUND = 1.15


def table_of(objects, objdump, mca):
    # Many loops are copies of each other: one of each is enough.
    unique = {}
    for path in sorted(objects, key=lambda p: p.split("/")[-1]):
        stem = inner_loops.stem_of_object(path)
        for loop in inner_loops.loops_of(inner_loops.functions_of(objdump, path), lambda _, stem=stem: stem):
            unique.setdefault("\n".join(loop.lines), loop)
    loops = list(unique.values())
    table = {loop.name: {"instructions": len(loop.lines), "products": loop.products(), "cores": {}} for loop in loops}
    for core in inner_loops.CORES:
        for loop, result in zip(loops, inner_loops.analyse(mca, core, loops)):
            table[loop.name]["cores"][core] = [result["cycles"], result["bound"], result["port"]]
    return table


def print_table(table, out):
    cores = inner_loops.CORES
    print("| loop | instructions | products | " + " | ".join(cores) + " |", file=out)
    print("|---|---|---|" + "---|" * len(cores), file=out)
    for name, row in table.items():
        cells = []
        for core in cores:
            cycles, bound, port = row["cores"][core]
            cells.append(f"{cycles:g} / {bound:g} = {cycles / bound:.2f}, {port}")
        print(f"| {name} | {row['instructions']} | {row['products']} | " + " | ".join(cells) + " |", file=out)


def differences(kept, fresh):
    """Lines that say how the tables differ."""
    lines = [f"gone: {name}" for name in kept if name not in fresh]
    lines += [f"new: {name}" for name in fresh if name not in kept]
    for name in kept:
        if name not in fresh:
            continue
        for core, (cycles, _, _) in kept[name]["cores"].items():
            now = fresh[name]["cores"][core][0]
            if abs(now - cycles) > TOLERANCE * cycles:
                lines.append(f"{name}: {now:g} cycles on {core}, {cycles:g} in the table")
    return lines


def near_bound(table, core):
    """How many loops are near their bound on a core, and all."""
    ratios = [row["cores"][core][0] / row["cores"][core][1] for row in table.values()]
    return sum(ratio <= NEAR_BOUND for ratio in ratios), len(ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("objects", nargs="+")
    parser.add_argument("--write")
    parser.add_argument("--check")
    parser.add_argument("--objdump", default="llvm-objdump-19")
    parser.add_argument("--mca", default="llvm-mca-19")
    arguments = parser.parse_args()
    for tool in (arguments.objdump, arguments.mca):
        if shutil.which(tool) is None:
            print(f"skipped: no {tool} (platforms/setup.sh android)")
            return 77
    table = table_of(arguments.objects, arguments.objdump, arguments.mca)
    if arguments.write:
        with open(arguments.write, "w", encoding="utf-8") as file:
            file.write("{\n" + ",\n".join(f" {json.dumps(n)}: {json.dumps(r)}" for n, r in table.items()) + "\n}\n")
        return 0
    if arguments.check:
        with open(arguments.check, encoding="utf-8") as file:
            lines = differences(json.load(file), table)
        print("\n".join(lines) if lines else f"{len(table)} loops as in the table")
        return 1 if lines else 0
    print_table(table, sys.stdout)
    for core in inner_loops.CORES:
        print("%s: %d of %d loops within %g of the bound" % (core, *near_bound(table, core), NEAR_BOUND))
    return 0


if __name__ == "__main__":
    sys.exit(main())
