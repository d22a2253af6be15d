"""Writes a folder as a zip file: the same bytes for the same files.

    make_zip.py FOLDER FILE [STORED...]

Names that match one of STORED (as fnmatch) are stored without compression, so that they can be mapped where they lie.
Symbolic links stay such.
"""

import fnmatch
import os
import sys
import zipfile


def main(folder, path, *stored):
    names = sorted(
        os.path.relpath(os.path.join(parent, name), folder)
        for parent, folders, files in os.walk(folder)
        for name in files + [name for name in folders if os.path.islink(os.path.join(parent, name))]
    )
    with zipfile.ZipFile(path + ".part", "w") as archive:
        for name in names:
            source = os.path.join(folder, name)
            entry = zipfile.ZipInfo(name.replace(os.sep, "/"), date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix: links, and who may execute.
            if os.path.islink(source):
                entry.external_attr = 0o120777 << 16
                archive.writestr(entry, os.readlink(source))
                continue
            entry.external_attr = (0o100755 if os.access(source, os.X_OK) else 0o100644) << 16
            plain = any(fnmatch.fnmatch(name, pattern) for pattern in stored)
            entry.compress_type = zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED
            with open(source, "rb") as file:
                archive.writestr(entry, file.read(), compresslevel=9)
    os.replace(path + ".part", path)


if __name__ == "__main__":
    main(*sys.argv[1:])
