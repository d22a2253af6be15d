"""Measures a bundle on many files of rows, by several worker processes.

    /usr/bin/python3 evaluate.py --handpick handpick --bundle ranker.hpk rows/*.jsonl -- --slice country

Each worker measures some of the files with `handpick evaluate --partial`; the summaries are added up with --merge. What is behind
"--" goes to both. A worker that dies is replaced, and its files are measured again: the numbers are those of one process.

Needs Dask (Debian: python3-distributed). --kill ends one worker on the way, to show it.
"""
import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time

from distributed import Client, LocalCluster, as_completed


def measure(handpick, bundle, rows, options, delay):
    """The summary of one file."""
    with tempfile.TemporaryDirectory() as folder:
        part = os.path.join(folder, "part")
        time.sleep(delay)
        subprocess.run([handpick, "evaluate", "--bundle", bundle, "--rows", rows, "--threads", "1", "--partial", part, *options],
                       check=True, stdin=subprocess.DEVNULL)
        with open(part, "rb") as file:
            return file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--handpick", default="handpick", help="the command")
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--require", action="append", default=[], help="a demand; may be given several times")
    parser.add_argument("--kill", action="store_true", help="end one worker on the way")
    parser.add_argument("rows", nargs="+", help="files; a user's rows are in one of them")
    own, options = sys.argv[1:], []
    if "--" in own:
        options = own[own.index("--") + 1:]
        own = own[:own.index("--")]
    arguments = parser.parse_args(own)

    with LocalCluster(n_workers=arguments.workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster, \
            Client(cluster) as client, tempfile.TemporaryDirectory() as folder:
        victim = next(iter(client.run(os.getpid).values())) if arguments.kill else None
        futures = [client.submit(measure, arguments.handpick, arguments.bundle, rows, options, 0.3 if arguments.kill else 0, pure=False)
                   for rows in arguments.rows]
        parts = []
        for number, future in enumerate(as_completed(futures)):
            if number == 0 and victim is not None:
                os.kill(victim, signal.SIGKILL)
                print("ended worker", victim, file=sys.stderr)
            parts.append(os.path.join(folder, str(number)))
            with open(parts[-1], "wb") as file:
                file.write(future.result())
        demands = [word for demand in arguments.require for word in ("--require", demand)]
        return subprocess.run([arguments.handpick, "evaluate", "--merge", ",".join(parts), "--json", *demands]).returncode


if __name__ == "__main__":
    sys.exit(main())
