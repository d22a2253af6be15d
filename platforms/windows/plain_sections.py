"""Makes the sections of an object file (COFF) that a linker may take from another file its own.

    plain_sections.py OBJECT

Inline functions and type information lie in such sections (COMDAT): of several files that have one, the linker keeps one. Once
the symbols of such a section are local, nothing outside may stand in for it.
"""

import struct
import sys

_COMDAT = 0x1000
_HEADER = struct.Struct("<HHIIIHH")  # machine, sections, time, symbols' place, symbols, size of an optional header, flags
_SECTION_BYTES = 40
_FLAGS_AT = 36


def main(path):
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        machine, sections, _, _, _, optional, _ = _HEADER.unpack_from(data)
        if machine != 0x8664:
            sys.exit(f"plain_sections.py: {path} is no object file for x86-64")
        first = _HEADER.size + optional
        for at in range(first + _FLAGS_AT, first + _SECTION_BYTES * sections, _SECTION_BYTES):
            (flags,) = struct.unpack_from("<I", data, at)
            struct.pack_into("<I", data, at, flags & ~_COMDAT)
        file.seek(0)
        file.write(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
