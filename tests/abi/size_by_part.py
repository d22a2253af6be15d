#!/usr/bin/env python3
"""How many bytes of the stripped shared library each part takes, from the linker's map.

    bazel build -c opt //sdk:handpick_shared --linkopt=-Wl,-Map=/tmp/handpick.map
    tests/abi/size_by_part.py /tmp/handpick.map bazel-bin/sdk/shared/libhandpick.so

Bytes of code and constants are those of the sections that the linker kept of each object file; what the file has beside
them (headers, symbols, relocations, alignment) is the rest of its size.
"""

import os
import re
import subprocess
import sys
import tempfile

# The first that occurs in an object's path.
PARTS = [
    ("XNNPACK", r"external/xnnpack/"),
    ("cpuinfo, pthreadpool", r"external/(cpuinfo|pthreadpool)/"),
    ("Highway", r"external/highway/"),
    ("Abseil", r"external/com_google_absl/"),
    ("xxHash", r"external/xxhash/"),
    ("kernels over panels", r"panel_kernels|kernels/(attention|dot_product|panel_|recurrent|row_stream)"),
    ("kernels over rows", r"sdk/(_objs/)?kernels|sdk/libkernels"),
    ("recall", r"sdk/recall/"),
    ("loading and checking bundles", r"sdk/(_objs/|lib)?bundle"),
    ("C API", r"sdk/(_objs/|lib)?(exported|struct_size)"),
    ("sessions, features, the rest", r"sdk/"),
    ("C++ and compiler runtime", r"libstdc\+\+|libgcc|libsupc\+\+|crt\w*\.o"),
]
# Sections that are in the file when it is stripped. (.bss is not.)
LOADED = re.compile(r"\.(text|rodata|data|eh_frame|gcc_except_table|init_array|fini_array|init|fini|tdata|ctors|dtors)\b")
ENTRY = re.compile(r"^ (\.[^\s]+)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$")


def part_of(path):
  for name, pattern in PARTS:
    if re.search(pattern, path):
      return name
  return "other"


def read_map(path):
  """Bytes by part."""
  sizes = {}
  section = None
  kept = False
  with open(path, encoding="utf-8", errors="replace") as file:
    for line in file:
      line = line.rstrip("\n")
      if line.startswith(("Linker script and memory map", "Memory map")):
        kept = True
        continue
      if not kept:
        continue
      alone = re.match(r"^ (\.[^\s]+)$", line)
      if alone:
        section = alone.group(1)
        continue
      entry = ENTRY.match(line)
      if entry:
        section = entry.group(1) or section
        if section and LOADED.match(section) and re.search(r"\.(o|a|lo|so)\b|\)", entry.group(4)):
          part = part_of(entry.group(4))
          sizes[part] = sizes.get(part, 0) + int(entry.group(3), 16)
      section = None
  return sizes


def stripped_size(library):
  with tempfile.TemporaryDirectory() as folder:
    copy = os.path.join(folder, "stripped.so")
    subprocess.run(["strip", "--strip-all", "-o", copy, library], check=True)
    return os.path.getsize(copy)


def main(map_path, library):
  sizes = read_map(map_path)
  total = stripped_size(library)
  sizes["headers, symbols, relocations, alignment"] = total - sum(sizes.values())
  print("| part | bytes |\n|---|---|")
  for part, size in sorted(sizes.items(), key=lambda item: -item[1]):
    print(f"| {part} | {size:,} |")
  print(f"| **stripped library** | **{total:,}** |")


if __name__ == "__main__":
  main(*sys.argv[1:])
