#!/usr/bin/env python3
"""How much of a candidate's cycles is spent in loops that are near llvm-mca's bound: no device, an emulator counts how often each
block runs, and llvm-mca's model of a core says what it costs.

    tests/kernels_static/shares.py QEMU PLUGIN MODELS                       a table for all models
    tests/kernels_static/shares.py QEMU PLUGIN MODELS --worst w3_din.f32    the loops of one, those with most to win first

QEMU: qemu-aarch64 with plugins (Debian: the package qemu-user). PLUGIN: block_counts.c, compiled. MODELS: the folder of w1_wide_deep.f32.hpk
and so on, of tests/benchmarks/rivals. The program is count_candidates as Android's compiler makes it: the objects that analyse.py looks at.
"""
import argparse
import bisect
import collections
import os
import re
import subprocess
import sys

import inner_loops

CORES = {"cortex-a55": "cortex-a76", "cortex-a76": "cortex-a76", "cortex-a53": "cortex-a53"}  # And qemu's, with the same instructions.
MODELS = ("w1_wide_deep", "w2_nfm", "w3_din", "w4_dien")
PRECISIONS = ("f32", "int8")
# Of code outside of loops, what takes at most so much of a candidate's instructions is left out.
LEAST = 1e-5
CANDIDATES = 200


def program():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    quiet = ["--config=android-arm64", "--color=no", "--curses=no", "--noshow_progress"]
    subprocess.run(["bazel", "build", *quiet, "//tests/kernels_static:count_candidates"], check=True, cwd=root, stdout=sys.stderr)
    found = subprocess.run(["bazel", "info", "--config=android-arm64", "bazel-bin"], check=True, cwd=root, capture_output=True, text=True)
    return os.path.join(found.stdout.strip(), "tests/kernels_static/count_candidates")


class Program:
    """Its instructions, its inner loops, and what is between them."""

    def __init__(self, path, objdump):
        self.path = path
        functions = [f for f in inner_loops.functions_of(objdump, path) if f[1]]
        self.loops = inner_loops.loops_of(functions, lambda _: "")
        self.addresses = []
        self.lines = []
        self.function = []
        for name, code in functions:
            for address, line in code:
                self.addresses.append(address)
                self.lines.append(line)
                self.function.append(name)

    def index(self, address):
        return bisect.bisect_left(self.addresses, address)

    def counts(self, qemu, plugin, cpu, bundle, requests):
        run = subprocess.run([qemu, "-cpu", cpu, "-plugin", plugin, "-d", "plugin", self.path, bundle, str(CANDIDATES), str(requests)],
                             check=True, capture_output=True, text=True)
        steps = collections.Counter()
        for line in run.stderr.splitlines():
            block = re.match(r"([0-9a-f]+) ([0-9a-f]+) (\d+)$", line)
            if block:
                steps[self.index(int(block[1], 16))] += int(block[3])
                steps[self.index(int(block[2], 16)) + 1] -= int(block[3])
        result, now = [], 0
        for i in range(len(self.addresses)):
            now += steps[i]
            result.append(now)
        return result

    def per_candidate(self, *arguments):
        """How often each instruction runs for a candidate: in three requests beyond one, which widens matrices and so on."""
        one, three = self.counts(*arguments, 1), self.counts(*arguments, 3)
        return [(b - a) / (2 * CANDIDATES) for a, b in zip(one, three)]

    def pieces(self, counts):
        """[(Loop, times)]: loops, then the straight code outside of them."""
        result, inside = [], [False] * len(counts)
        for loop in self.loops:
            begin, end = self.index(loop.begin), self.index(loop.end)
            inside[begin:end + 1] = [True] * (end + 1 - begin)
            if counts[end] > 0:
                result.append((loop, counts[end]))
        loops = len(result)
        total = sum(counts)
        i = 0
        while i < len(counts):
            end = i + 1
            while end < len(counts) and counts[end] == counts[i] and inside[end] == inside[i] and end - i < inner_loops.MOST_INSTRUCTIONS:
                end += 1
            if not inside[i] and counts[i] * (end - i) > LEAST * total:
                # A call is a branch here: llvm-mca would count 100 cycles for it, and what is called is counted where it stands.
                lines = [re.sub(r"^bl(r?)\b", r"b\1", inner_loops.assembled(line)) for line in self.lines[i:end]]
                name = f"outside: {inner_loops.short_name(self.function[i])}, {end - i} instructions"
                result.append((inner_loops.Loop(name, lines), counts[i]))
            i = end
        return result, loops


def analysed(program_, qemu, plugin, bundle, mca, core):
    """[(name, whether it is a loop, times, cycles, bound)] for a candidate."""
    pieces, loops = program_.pieces(program_.per_candidate(qemu, plugin, CORES[core], bundle))
    results = inner_loops.analyse(mca, core, [piece for piece, _ in pieces])
    return [(piece.name, i < loops, times, result["cycles"], result["bound"])
            for i, ((piece, times), result) in enumerate(zip(pieces, results))]


def share(rows, most):
    """Of all cycles, those in loops of at most so many times their bound."""
    total = sum(times * cycles for _, _, times, cycles, _ in rows)
    near = sum(times * cycles for _, is_loop, times, cycles, bound in rows if is_loop and cycles <= most * bound)
    return near / total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("qemu")
    parser.add_argument("plugin")
    parser.add_argument("models")
    parser.add_argument("--worst", help="a model, as w3_din.int8")
    parser.add_argument("--cores", default="cortex-a55,cortex-a76")
    parser.add_argument("--program", help="count_candidates, if it is built")
    parser.add_argument("--objdump", default="llvm-objdump-19")
    parser.add_argument("--mca", default="llvm-mca-19")
    arguments = parser.parse_args()
    of = Program(arguments.program or program(), arguments.objdump)
    cores = arguments.cores.split(",")

    def rows_of(model, core):
        bundle = os.path.join(arguments.models, model + ".hpk")
        return analysed(of, arguments.qemu, arguments.plugin, bundle, arguments.mca, core)

    if arguments.worst:
        for core in cores:
            rows = rows_of(arguments.worst, core)
            total = sum(times * cycles for _, _, times, cycles, _ in rows)
            print(f"{arguments.worst} on {core}: {total:.0f} cycles for a candidate")
            print("| share | to win | times | cycles / bound | |\n|---|---|---|---|---|")
            for name, _, times, cycles, bound in sorted(rows, key=lambda r: r[2] * (r[4] - r[3]))[:40]:
                print(f"| {100 * times * cycles / total:.1f} % | {100 * times * (cycles - bound) / total:.1f} % | {times:.2f} | "
                      f"{cycles:g} / {bound:g} = {cycles / bound:.2f} | {name} |")
        return 0
    print("| model | core | cycles of a candidate | in loops | within 1.15 of the bound | within 1.3 | all / bounds |")
    print("|---|---|---|---|---|---|---|")
    for model in MODELS:
        for precision in PRECISIONS:
            for core in cores:
                rows = rows_of(f"{model}.{precision}", core)
                total = sum(times * cycles for _, _, times, cycles, _ in rows)
                bounds = sum(times * bound for _, _, times, _, bound in rows)
                print(f"| {model} {precision} | {core} | {total:.0f} | {100 * share(rows, float('inf')):.0f} % | "
                      f"{100 * share(rows, 1.15):.0f} % | {100 * share(rows, 1.3):.0f} % | {total / bounds:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
