#!/usr/bin/env python3
"""Links of all .md files that lead nowhere: a file that is not there, or a heading that it does not have.

Web addresses are not looked up. Prints FILE:LINE: what is wrong, and ends with status 1 if there is any.
"""

import os
import re
import subprocess
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(#[^)\s]*)?\)")


def documents():
    """Of the checkout; of the folder, where there is none."""
    git = subprocess.run(["git", "ls-files", "-z", "--", "*.md"], capture_output=True, text=True)
    if git.returncode == 0 and git.stdout:
        return git.stdout.rstrip("\0").split("\0")
    return [
        os.path.normpath(os.path.join(folder, name))
        for folder, _, names in os.walk(".")
        if not folder.startswith("./bazel-")
        for name in names
        if name.endswith(".md")
    ]


def anchors(document):
    """As GitHub makes them of headings; those of equal headings are counted."""
    found = set()
    with open(document, encoding="utf-8") as lines:
        for line in lines:
            if re.match(r"#{1,6} ", line):
                text = line.lstrip("#").strip().lower()
                anchor = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
                copies = 0
                while anchor + (f"-{copies}" if copies else "") in found:
                    copies += 1
                found.add(anchor + (f"-{copies}" if copies else ""))
    return found


def main():
    names = documents()
    headings = {name: anchors(name) for name in names}
    wrong = 0
    links = 0
    for name in names:
        with open(name, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                for path, anchor in LINK.findall(line):
                    if re.match(r"[a-z]+:", path):
                        continue
                    links += 1
                    target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
                    if not os.path.exists(target):
                        print(f"{name}:{number}: there is no {path}")
                    elif anchor and target in headings and anchor[1:] not in headings[target]:
                        print(f"{name}:{number}: {target} has no heading {anchor}")
                    else:
                        continue
                    wrong += 1
    if not links:
        print("no link was found in any .md file")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
