"""Makes symbols of gcc's kind "unique" plain global ones in an object file, which objcopy cannot: such a symbol is one for
all libraries of a process, whoever has it.

    plain_symbols.py OBJECT
"""

import struct
import sys

SYMBOL_TABLE = 2
GLOBAL, UNIQUE = 1, 10


def main(path):
  with open(path, "rb") as file:
    elf = bytearray(file.read())
  if elf[:4] != b"\x7fELF" or elf[5] != 1:
    sys.exit(f"{path} is no little-endian ELF file")
  wide = elf[4] == 2
  sections, = struct.unpack_from("<Q" if wide else "<I", elf, 0x28 if wide else 0x20)
  size, count = struct.unpack_from("<HH", elf, 0x3A if wide else 0x2E)
  # More sections than fit into 16 bits: their number is the size of the first, which is none.
  if count == 0:
    count, = struct.unpack_from("<Q" if wide else "<I", elf, sections + (0x20 if wide else 0x14))
  for section in range(sections, sections + size * count, size):
    kind, = struct.unpack_from("<I", elf, section + 4)
    if kind != SYMBOL_TABLE:
      continue
    begin, length = struct.unpack_from("<QQ" if wide else "<II", elf, section + (0x18 if wide else 0x10))
    step = 24 if wide else 16
    for info in range(begin + (4 if wide else 12), begin + length, step):
      if elf[info] >> 4 == UNIQUE:
        elf[info] = GLOBAL << 4 | elf[info] & 15
  with open(path, "wb") as file:
    file.write(elf)


if __name__ == "__main__":
  main(sys.argv[1])
