"""The shared library shows hp_* alone, needs the C library alone, can be mapped safely, and runs nothing when it is loaded.

    shared_library_test.py LIBRARY HEADER...
"""

import re
import subprocess
import sys

# Libraries of the C runtime, of which glibc makes several.
NEEDED = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2",
          "ld-linux-aarch64.so.1", "ld-linux-armhf.so.3"}
# Weak ones that crtbegin.o and libstdc++ ask for and do without.
WEAK = {"__cxa_finalize", "__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable"}


def run(*command):
  return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(library, headers):
  failures = []

  def expect(condition, message):
    if not condition:
      failures.append(message)

  declared = set()
  for header in headers:
    with open(header, encoding="utf-8") as file:
      declared |= set(re.findall(r"HP_API [^(]*?\b(hp_\w+)\(", file.read()))
  symbols = [line.split() for line in run("nm", "-D", "--with-symbol-versions", library).splitlines()]
  exported = {fields[-1].split("@")[0] for fields in symbols if fields[-2] not in ("U", "w", "v")}
  expect(exported == declared,
         f"exported but not declared: {sorted(exported - declared)}; "
         f"declared but not exported: {sorted(declared - exported)}")
  expect(len(declared) > 25, f"the headers declare {len(declared)} functions")

  # Of glibc every symbol has a version; what has none would have to come from the app.
  undefined = [fields[-1] for fields in symbols if fields[-2] == "U"]
  weak = [fields[-1] for fields in symbols if fields[-2] in ("w", "v")]
  foreign = [name for name in undefined if "@GLIBC_" not in name]
  expect(not foreign, f"undefined, and not of the C library: {foreign}")
  foreign = [name for name in weak if "@GLIBC_" not in name and name not in WEAK]
  expect(not foreign, f"weak, and not of the C library: {foreign}")
  expect(undefined, "nothing is asked of the C library: were symbols read?")

  # What functions with arrays of bytes on the stack ask for, when these were written over.
  expect("__stack_chk_fail" in {name.split("@")[0] for name in undefined}, "has no stack protector")

  dynamic = run("readelf", "-dW", library)
  needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
  expect(needed and needed <= NEEDED, f"needs {sorted(needed)}")
  expect("TEXTREL" not in dynamic, "has text relocations")
  expect("[libhandpick.so.0]" in dynamic, "has no soname")

  expect("BIND_NOW" in dynamic, "binds functions late: its table of them stays writable")
  # One entry: what crtbegin.o calls in every library (frame_dummy).
  starts = re.search(r"\(INIT_ARRAYSZ\)\s+(\d+) \(bytes\)", dynamic)
  pointer = 8 if "ELF64" in run("readelf", "-hW", library) else 4
  expect(starts is None or int(starts.group(1)) == pointer, "runs code of ours when it is loaded")
  expect("(RPATH)" not in dynamic and "(RUNPATH)" not in dynamic, "names folders of the machine that built it")

  segments = run("readelf", "-lW", library)
  stack = re.search(r"GNU_STACK(?:\s+0x\w+){5}\s+([RWE ]+?)\s+0x", segments)
  expect(stack is not None and "E" not in stack.group(1), "has an executable stack")
  expect("GNU_RELRO" in segments, "keeps pointers writable that never change")
  for flags in re.findall(r"\bLOAD(?:\s+0x\w+){5}\s+([RWE ]+?)\s+0x", segments):
    expect(not ("W" in flags and "E" in flags), "has memory that is written and executed")

  for failure in failures:
    print("FAILED:", failure)
  return 1 if failures else 0


if __name__ == "__main__":
  sys.exit(main(sys.argv[1], sys.argv[2:]))
