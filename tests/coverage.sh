#!/usr/bin/env bash
# Which lines of sdk/ run in tests and in fuzz targets (what they found, their seeds, and 2,000 mutations):
#
#     tests/coverage.sh [TARGET...]    tests of the runtime, or those that are named
#
# Prints each file, the least covered first, with the lines that did not run, then folders, and the share of all. Kernels are
# compiled once for each instruction set: a line counts as run when it ran in one. Takes gcov, which comes with gcc.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  mapfile -t targets < <(bazel query --color=no --noshow_progress --output=label \
    'kind(cc_test, //tests/sdk/... + //tests/runtime/... + //tests/abi/... + //tests/fuzz/... + //tests/converter/update/...)
     except attr(tags, manual, //tests/...)' 2>/dev/null)
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Bazel does not know of the .gcno files, so that a cache would not have them: the objects of sdk/ are compiled here. All others
# are there by then.
options=(--color=no --curses=no --noshow_progress)
bazel build "${options[@]}" "${targets[@]}"
bazel build "${options[@]}" --disk_cache= '--per_file_copt=^sdk/.*@--coverage,-fprofile-update=prefer-atomic,-O1' \
  --linkopt=--coverage "${targets[@]}"
bin=$(readlink -f bazel-bin)
for target in "${targets[@]}"; do
  program=${target#//}
  program=${program/://}
  runfiles=$bin/$program.runfiles
  mkdir -p "$work/tmp"
  status=0
  (cd "$runfiles/handpick" && GCOV_PREFIX=$work/counts TEST_TMPDIR=$work/tmp TEST_SRCDIR=$runfiles TEST_WORKSPACE=handpick \
    "./$program") >"$work/log" 2>&1 </dev/null || status=$?
  [ $status = 0 ] || { tail -n 30 "$work/log"; printf 'FAILED %s, exit status %s\n' "$target" "$status"; }
  rm -rf "$work/tmp"
done
python3 tests/line_coverage.py "$work/counts" "$(dirname "$(dirname "$(dirname "$bin")")")"
