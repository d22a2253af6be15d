"""Counts the tests of one `bazel test` from its build events (--build_event_json_file).

Prints a line per test, then one line of three numbers: passed, failed, skipped. A test that did not
build has failed, and so has a run that ended badly without any test to blame.
"""

import argparse
import json
import sys


def read_events(path):
    """The events in order; a file that was cut off ends early."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                return


def results(events):
    """{label: status} of every test that was asked for."""
    status = {}
    for event in events:
        id_ = event.get("id", {})
        if "targetConfigured" in id_:
            if event.get("configured", {}).get("targetKind", "").endswith("_test rule"):
                status.setdefault(id_["targetConfigured"]["label"], "FAILED_TO_BUILD")
        elif "targetCompleted" in id_:
            if event.get("aborted", {}).get("reason") == "SKIPPED":
                label = id_["targetCompleted"]["label"]
                if label in status:
                    status[label] = "SKIPPED"
        elif "testSummary" in id_:
            overall = event.get("testSummary", {}).get("overallStatus", "NO_STATUS")
            status[id_["testSummary"]["label"]] = overall
    return status


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--step", required=True, help="starts every line")
    parser.add_argument("--exit-status", type=int, required=True, help="of bazel test")
    parser.add_argument("events")
    arguments = parser.parse_args()
    try:
        status = results(read_events(arguments.events))
    except OSError as error:
        print("%s: no build events: %s" % (arguments.step, error))
        status = {}
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for label, overall in sorted(status.items()):
        kind = {"PASSED": "passed", "SKIPPED": "skipped"}.get(overall, "failed")
        counts[kind] += 1
        print("%s: %s %s" % (arguments.step, overall, label))
    if not status and arguments.exit_status == 0:
        print("%s: FAILED there was no test to run" % arguments.step)
        counts["failed"] += 1
    # 3: all was built, tests failed. Otherwise something that is no test did not build, or worse.
    built = not any(overall in ("FAILED_TO_BUILD", "NO_STATUS") for overall in status.values())
    if arguments.exit_status not in (0, 3) and built:
        print("%s: FAILED bazel ended with status %d, see ERROR above"
              % (arguments.step, arguments.exit_status))
        counts["failed"] += 1
    if arguments.exit_status == 3 and counts["failed"] == 0:
        print("%s: FAILED a test failed, but the build events do not say which" % arguments.step)
        counts["failed"] += 1
    print(counts["passed"], counts["failed"], counts["skipped"])


if __name__ == "__main__":
    sys.exit(main())
