"""Counts the tests of one `bazel test` from its build events (--build_event_json_file).

Prints a line per test, then one line of three numbers: passed, failed, skipped. A test that did not
build has failed, and so has a run that ended badly without any test to blame. With --logs, the last
lines of the log of each test that failed go into that file.
"""

import argparse
import json
import sys
import urllib.parse

LAST_LINES = 60
LONGEST_LINE = 400


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


def failed_logs(events):
    """[(label, path of the log)] of test runs that failed."""
    logs = []
    for event in events:
        label = event.get("id", {}).get("testResult", {}).get("label")
        result = event.get("testResult", {})
        if label is None or result.get("status") == "PASSED":
            continue
        for output in result.get("testActionOutput", []):
            if output.get("name") == "test.log" and output.get("uri", "").startswith("file://"):
                logs.append((label, urllib.parse.unquote(output["uri"][len("file://"):])))
    return logs


def last_lines(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            lines = log.read().splitlines()
    except OSError as error:
        return ["no log: %s" % error]
    return [line[:LONGEST_LINE] for line in lines[-LAST_LINES:]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--step", required=True, help="starts every line")
    parser.add_argument("--exit-status", type=int, required=True, help="of bazel test")
    parser.add_argument("--logs", help="a file that is written on")
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
    if arguments.logs and counts["failed"]:
        with open(arguments.logs, "a", encoding="utf-8") as out:
            for label, path in failed_logs(read_events(arguments.events)):
                out.write("%s: the end of the log of %s\n" % (arguments.step, label))
                out.writelines("    %s\n" % line for line in last_lines(path))
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
