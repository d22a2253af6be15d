"""A library of the Java classes shows JNI_OnLoad and hp_* alone, needs few others, and can be mapped safely.

    check_jni.py [--android MACHINE] --soname NAME --needs LIBRARY,... LIBRARY HEADER...
"""

import argparse
import re
import subprocess


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--android", help="AArch64, ARM or X86-64: also what Android asks for")
    parser.add_argument("--soname", required=True)
    parser.add_argument("--needs", required=True)
    parser.add_argument("library")
    parser.add_argument("headers", nargs="+")
    args = parser.parse_args()
    failures = []

    def expect(condition, message):
        if not condition:
            failures.append(message)

    declared = {"JNI_OnLoad"}
    for header in args.headers:
        with open(header, encoding="utf-8") as file:
            declared |= set(re.findall(r"HP_API [^(]*?\b(hp_\w+)\(", file.read()))
    expect(len(declared) > 30, f"the headers declare {len(declared)} functions")
    symbols = [line.split() for line in run("readelf", "--dyn-syms", "-W", args.library).splitlines() if re.match(r"\s+\d+: ", line)]
    exported = {fields[7].split("@")[0] for fields in symbols if fields[6] != "UND"}
    # Of the linker, where it makes them.
    exported -= {"_end", "_edata", "__bss_start", "_bss_end__", "__bss_start__", "__bss_end__", "__end__"}
    expect(exported == declared, f"more: {sorted(exported - declared)}; missing: {sorted(declared - exported)}")

    asked = {fields[7].split("@")[0] for fields in symbols if fields[6] == "UND" and len(fields) > 7}
    expect("__stack_chk_fail" in asked, "no stack protector")

    dynamic = run("readelf", "-dW", args.library)
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    expect(needed and needed <= set(args.needs.split(",")), f"needs {sorted(needed)}")
    expect(f"[{args.soname}]" in dynamic, "another soname")
    expect("TEXTREL" not in dynamic, "text relocations")
    expect("BIND_NOW" in dynamic or "(FLAGS_1)" in dynamic and " NOW" in dynamic, "functions are bound late")

    segments = run("readelf", "-lW", args.library)
    stack = re.search(r"GNU_STACK(?:\s+0x\w+){5}\s+([RWE ]+?)\s+0", segments)
    expect(stack is not None and "E" not in stack.group(1), "an executable stack")
    expect("GNU_RELRO" in segments, "pointers that never change stay writable")
    loads = re.findall(r"\bLOAD(?:\s+0x\w+){5}\s+([RWE ]+?)\s+(0x\w+)", segments)
    expect(len(loads) > 1, "no segments were read")
    for flags, align in loads:
        expect(not ("W" in flags and "E" in flags), "memory that is written and executed")
        if args.android:
            expect(int(align, 16) >= 0x4000, f"a segment aligned to {align}")
    if args.android:
        header = run("readelf", "-hW", args.library)
        expect(re.search(rf"Machine:.*{args.android}\b", header), f"not for {args.android}")
        expect(not re.search(r"\((INIT|INIT_ARRAY|PREINIT_ARRAY|FINI|FINI_ARRAY)\)", dynamic), "static initialisers")
        expect(not re.search(r"\s\.symtab\s", run("readelf", "-SW", args.library)), "not stripped")

    for failure in failures:
        print(f"{args.library}: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
