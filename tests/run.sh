#!/usr/bin/env bash
# Builds and runs every test, from nothing:
#
#     tests/run.sh             all steps below
#     tests/run.sh STEP...     some of them
#
#     default   everything is built and every test run, optimised, for this machine
#     asan      the tests tagged "asan" again, with the address and undefined-behaviour sanitizers
#     tsan      the tests tagged "tsan" again, with the thread sanitizer
#     fuzz      tests/fuzz: each target for FUZZ_SECONDS (60: five minutes in all)
#     arm64     the tests tagged "arm64", cross-compiled and run under qemu, on bundles made here
#     armv7     the tests tagged "armv7", in the same way
#     packages  tests/packages: what apps install is made, installed and used
#     format    clang-format over all C and C++ files; links of documents
#
# All steps are run, whatever an earlier one said. The last line is "N passed, N failed": tests of
# all steps, where a test that did not build has failed. Exit status: 0 when nothing failed, 1 when
# something did, 2 for a wrong call.
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
exec </dev/null

steps=("$@")
[ $# -gt 0 ] || steps=(default asan tsan fuzz arm64 armv7 packages format)
for step in "${steps[@]}"; do
  case $step in
    default | asan | tsan | fuzz | arm64 | armv7 | packages | format) ;;
    *)
      printf "tests/run.sh: no step '%s'; there are: default, asan, tsan, fuzz, arm64, armv7, packages, format\n" "$step" >&2
      exit 2
      ;;
  esac
done

passed=0
failed=0
skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What failed is said again at the end, with the ends of logs.
say() {
  printf '%s: %s\n' "$step" "$*"
  case $* in FAILED*) printf '%s: %s\n' "$step" "$*" >>"$work/failed" ;; esac
}

count() { # passed failed skipped
  passed=$((passed + $1))
  failed=$((failed + $2))
  skipped=$((skipped + $3))
}

bazel_step() { # options of bazel test; and the targets, if not all
  local targets=//...
  case ${!#} in //*) targets=${!#}; set -- "${@:1:$#-1}" ;; esac
  local events=$work/$step.json status results
  bazel test --keep_going --color=no --curses=no --show_progress_rate_limit=60 \
    --noshow_loading_progress --test_summary=none --build_event_json_file="$events" "$@" "$targets"
  status=$?
  [ $status -lt 128 ] || say "bazel ended with status $status"
  results=$(python3 tests/count_results.py --step="$step" --exit-status=$status --logs="$work/failed" "$events") ||
    results='0 1 0'
  # All lines but the last are for the reader.
  [ "$results" = "${results##*$'\n'}" ] || printf '%s\n' "${results%$'\n'*}"
  # shellcheck disable=SC2086
  count ${results##*$'\n'}
}

# libFuzzer is installed for this step alone. What it finds lies in the folder that it names.
fuzz_step() {
  if ! bash platforms/setup.sh fuzz; then
    say "SKIPPED not installed: libFuzzer (platforms/setup.sh fuzz)"
    count 0 0 1
    return
  fi
  bazel_step --config=fuzz --local_test_jobs="$(nproc)" --test_env=FUZZ_SECONDS="${FUZZ_SECONDS:-60}" \
    --nocache_test_results //tests/fuzz:fuzzers
}

# The converter is not cross-compiled: the bundles that device_test opens are those of the default step, in a repository
# of their own.
cross_step() { # configuration of .bazelrc
  local bundles
  bundles=$(tests/golden/golden_repository.sh) || { say "FAILED tests/golden/golden_repository.sh"; count 0 1 0; return; }
  bazel_step --config="$1" --override_repository=golden_bundles="$bundles"
}

# Each script makes packages by platforms/package.sh, and uses them as an app does. Exit status 77: skipped, and the last line
# says what is missing.
packages_step() {
  local test name status began
  for test in tests/packages/*_test.sh; do
    name=$(basename "$test" _test.sh)
    began=$SECONDS
    bash "$test" >"$work/$name.log" 2>&1
    status=$?
    case $status in
      0) say "PASSED $name, $((SECONDS - began)) s"; count 1 0 0 ;;
      77) say "SKIPPED $name: $(tail -n 1 "$work/$name.log")"; count 0 0 1 ;;
      *)
        tail -n 100 "$work/$name.log"
        say "FAILED $name, exit status $status"
        tail -n 60 "$work/$name.log" | cut -c1-400 | sed 's/^/    /' >>"$work/failed"
        count 0 1 0
        ;;
    esac
  done
}

format_step() {
  local files=()
  mapfile -d '' files < <(git ls-files -z -- '*.c' '*.cc' '*.h' 2>/dev/null)
  if [ ${#files[@]} = 0 ]; then
    # No checkout, but an archive of one.
    mapfile -d '' files < <(find . -name 'bazel-*' -prune -o -type f \
      \( -name '*.c' -o -name '*.cc' -o -name '*.h' \) -print0)
  fi
  if [ ${#files[@]} = 0 ]; then
    say "FAILED there was no file to check"
    count 0 1 0
  elif clang-format --dry-run -Werror "${files[@]}" 2>"$work/format"; then
    say "PASSED ${#files[@]} files are formatted"
    count 1 0 0
  else
    # file:line:column: error: ..., each with lines of source behind it.
    sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: error:.*/\1: not formatted/p' "$work/format" | sort -u
    grep -v 'clang-format-violations' "$work/format" | grep -i 'error:\|not found' || true
    say "FAILED see above; clang-format -i FILE mends it"
    count 0 1 0
  fi
  if python3 tests/check_links.py; then
    say "PASSED links of documents lead somewhere"
    count 1 0 0
  else
    say "FAILED links, see above"
    count 0 1 0
  fi
}

printf 'tests/run.sh: %s cores, %s\n' "$(nproc)" "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sed 1q)"
step=setup
if bash platforms/setup.sh; then
  for step in "${steps[@]}"; do
    started=$SECONDS
    say "begins"
    case $step in
      default) bazel_step ;;
      asan | tsan) bazel_step --config="$step" ;;
      fuzz) fuzz_step ;;
      arm64 | armv7) cross_step "$step" ;;
      packages) packages_step ;;
      format) format_step ;;
    esac
    say "took $((SECONDS - started)) s"
  done
else
  say "FAILED platforms/setup.sh"
  count 0 1 0
fi

if [ "$failed" != 0 ]; then
  printf 'some tests FAILED, see above:\n'
  [ ! -e "$work/failed" ] || cat "$work/failed"
fi
summary="$passed passed, $failed failed"
[ "$skipped" = 0 ] || summary+=", $skipped skipped"
printf '%s\n' "$summary"
[ "$failed" = 0 ]
