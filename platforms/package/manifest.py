"""Writes manifest.json into a folder of packages: each file's size in bytes and SHA-256.

    manifest.py FOLDER TARGET
"""

import hashlib
import json
import os
import sys


def main(folder, target):
    files = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                data = file.read()
            files[os.path.relpath(path, folder)] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest = {"target": target, "files": dict(sorted(files.items()))}
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
