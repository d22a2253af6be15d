"""Adds up what gcov says of each object: a line is covered if it ran in one of them.

    tests/line_coverage.py COUNTS ROOT    COUNTS: where GCOV_PREFIX let programs write; bazel-out, with the .gcno files, lies in ROOT
"""

import collections
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile


def objects_of(folder):
    """Of sdk/: what tests instantiate of its headers is not what they test."""
    for path, _, names in os.walk(folder):
        if "/bin/sdk/" not in path + "/":
            continue
        for name in names:
            if name.endswith(".gcda"):
                yield os.path.join(path, name)


def add_lines(counts, root, ran):
    """`ran`: {file: {line: whether it ran}}; the lines of one object are added."""
    # An object of a cache may have been compiled in another folder.
    notes = os.path.join(root, counts[counts.rindex("/bazel-out/") + 1:-len(".gcda")] + ".gcno")
    shutil.copy(notes, counts[:-len(".gcda")] + ".gcno")
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["gcov", "--json-format", counts], cwd=work, check=True, stdout=subprocess.DEVNULL)
        for name in os.listdir(work):
            with gzip.open(os.path.join(work, name)) as file:
                for source in json.load(file)["files"]:
                    if not source["file"].startswith("sdk/"):
                        continue
                    of_file = ran[source["file"]]
                    for line in source["lines"]:
                        number = line["line_number"]
                        of_file[number] = of_file.get(number, False) or line["count"] > 0


def share(name, lines, missed=""):
    covered = sum(lines)
    print(f"{100 * covered / len(lines):6.1f} % {covered:5} of {len(lines):5}  {name}  {missed}".rstrip())


def main():
    counts, root = map(os.path.abspath, sys.argv[1:3])
    ran = collections.defaultdict(dict)
    for path in objects_of(counts):
        add_lines(path, root, ran)
    if not ran:
        sys.exit("nothing was counted")
    folders = collections.defaultdict(list)
    for file, lines in sorted(ran.items(), key=lambda row: sum(row[1].values()) / len(row[1])):
        missed = sorted(line for line, run in lines.items() if not run)
        share(file, list(lines.values()), " ".join(map(str, missed[:30])) + (" ..." if len(missed) > 30 else ""))
        folders[os.path.dirname(file)] += lines.values()
    print()
    for folder, lines in sorted(folders.items()):
        share(folder, lines)
    share("all", [run for lines in folders.values() for run in lines])


if __name__ == "__main__":
    main()
