"""Writes a jar of Java 8's own classes, without code: for ProGuard, which does not read those of a newer JDK.

    java8_classes.py JDK/lib/ct.sym OUT.jar
"""

import sys
import zipfile


def main(symbols, path):
    written = set()
    with zipfile.ZipFile(symbols) as archive, zipfile.ZipFile(path, "w") as jar:
        for name in archive.namelist():
            releases, _, name_in_jar = name.partition("/")
            if name_in_jar.startswith("java."):  # A module.
                name_in_jar = name_in_jar.partition("/")[2]
            if "8" not in releases or not name_in_jar.endswith(".sig") or name_in_jar in written:
                continue
            written.add(name_in_jar)
            if name_in_jar.startswith("java/"):
                code = bytearray(archive.read(name))
                code[6:8] = b"\0\x34"  # The version of Java 8.
                jar.writestr(name_in_jar[: -len(".sig")] + ".class", bytes(code))


if __name__ == "__main__":
    main(*sys.argv[1:])
