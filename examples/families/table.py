"""Prints what was measured of the families as a table in Markdown.

    python3 table.py DIRECTORY FAMILY...

DIRECTORY is what run.sh wrote.
"""

import json
import os
import sys


def read(*path):
    try:
        with open(os.path.join(*path), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def row(directory, family):
    trained = read(directory, family, "training.json")
    cells = [family, f"{trained['auc']:.4f}"]
    for precision in ("f32", "int8"):
        report = read(directory, family, f"{precision}.json")
        if report is None:
            cells += ["refused"] * 3
            continue
        drift = report["drift"]
        cells += [f"{drift['auc_bundle']:.4f}", f"{100 * drift['top10_overlap']:.1f} %", f"{report['bundle_bytes']:,}"]
    return cells


def work_row(directory, family):
    report = read(directory, family, "f32.json")
    if report is None:
        return [family] + ["refused"] * 4
    work = report["multiply_accumulates"]
    numbers = [work[key] for key in ("context", "event", "candidate", "candidate_as_written")]
    return [family] + [f"{number:,}" for number in numbers]


def show(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for cells in rows:
        print("| " + " | ".join(cells) + " |")


def main(directory, families):
    show(["family", "AUC, trained", "AUC, f32", "top-10 overlap", "bytes", "AUC, int8", "top-10 overlap", "bytes"],
         sorted((row(directory, family) for family in families), key=lambda cells: cells[1]))
    print()
    show(["multiply-accumulates", "a context", "an event", "a candidate", "a candidate, as written"],
         [work_row(directory, family) for family in families])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
