#!/usr/bin/env bash
# run.sh, with everything it calls replaced: what it leaves behind does not hold up the next run.
#
#     run_test.sh RUN.SH
set -euo pipefail

work=${TEST_TMPDIR:-$(mktemp -d)}/run_test
rm -rf "$work"
checkout=$work/checkout
cache=$work/cache/handpick/rivals
bin=$work/bin
mkdir -p "$checkout/tests/benchmarks/rivals" "$checkout/platforms" "$checkout/bazel-bin/tests/benchmarks/rivals" \
  "$checkout/bazel-bin/tests/benchmarks/workloads" "$bin" "$work/include/onnxruntime" "$cache"
cp "$1" "$checkout/tests/benchmarks/rivals/run.sh"
: >"$work/include/onnxruntime/onnxruntime_c_api.h"

# What was installed before.
sed -n 's/^version=//p' "$1" | head -n 1 >"$cache/version"
for architecture in x64 arm64; do
  mkdir -p "$cache/node_modules/onnxruntime-node/bin/napi-v6/linux/$architecture"
  : >"$cache/node_modules/onnxruntime-node/bin/napi-v6/linux/$architecture/libonnxruntime.so.1"
done

program() { # path; the script comes from the standard input
  cat >"$1"
  chmod +x "$1"
}
servers=$work/servers
: >"$servers"
program "$bin/bazel" <<SCRIPT
#!/usr/bin/env bash
sleep 300 >/dev/null 2>&1 & # The server: it has every descriptor that bazel has, and stays.
echo \$! >>"$servers"
SCRIPT
program "$bin/python" <<<'#!/bin/true'
program "$bin/cxx" <<<'#!/bin/true'
program "$checkout/platforms/setup.sh" <<<'#!/bin/true'
for name in rivals/write_weights workloads/write_bundle; do
  program "$checkout/bazel-bin/tests/benchmarks/$name" <<<'#!/bin/true'
done
program "$checkout/bazel-bin/tests/benchmarks/rivals/runner" <<SCRIPT
#!/usr/bin/env bash
printf '%s\n' "\$*" >>"$work/calls"
SCRIPT

end_servers() { xargs -r kill <"$servers" 2>/dev/null || true; }
trap end_servers EXIT

run() {
  PATH=$bin:$PATH XDG_CACHE_HOME=$work/cache ONNXRUNTIME_INCLUDE=$work/include CXX=$bin/cxx PYTHON=$bin/python \
    timeout 30 bash "$checkout/tests/benchmarks/rivals/run.sh" "$@" >"$work/log" 2>&1
}
fail() {
  printf 'run_test: %s\n' "$*" >&2
  cat "$work/log" >&2
  exit 1
}

run --workloads=w1_wide_deep || fail "the first run failed"
run --workloads=w2_nfm || fail "the second run failed, or waited for what the first one left"
run --workloads=w3_din || fail "the third run failed"
[ "$(wc -l <"$servers")" -ge 3 ] || fail "bazel was not called"
for pid in $(cat "$servers"); do
  kill -0 "$pid" 2>/dev/null || fail "a server ended, so that nothing was tried"
done
for workload in w1_wide_deep w2_nfm w3_din; do
  grep -q -e "--workloads=$workload" "$work/calls" || fail "$workload was not measured"
done

# The READMEs show the same command for every workload.
run --markdown --simd=avx2 --workloads=w1_wide_deep || fail "with --markdown it failed"
calls=$(tail -n 1 "$work/calls")
for part in "--markdown=$checkout/tests/benchmarks/README.md,$checkout/README.md" --simd=avx2 \
  "--command=tests/benchmarks/rivals/run.sh --simd=avx2 --note"; do
  [[ $calls == *"$part"* ]] || fail "the runner was called with $calls, expected $part"
done

! run --rival=abacus || fail "an unknown rival was measured"
grep -q "no rival 'abacus'" "$work/log" || fail "an unknown rival was refused with other words"
! run --rival=litert || fail "LiteRT was measured without a library"
grep -q "please set LITERT_INCLUDE" "$work/log" || fail "a missing library was noticed with other words"

mkdir -p "$work/litert/tflite/c"
: >"$work/litert/tflite/c/c_api.h"
export LITERT_INCLUDE=$work/litert LITERT_LIBRARY=$work/lib.so LITERT_FLATC=$bin/python LITERT_VERSION=abc
run --rival=litert || fail "LiteRT was not measured"
calls=$(tail -n 1 "$work/calls")
for part in "--library=$cache/liblitert_rival.so --models=$cache/litert --bundles=$cache/models" \
  "--workloads=w1_wide_deep,w2_nfm,w3_din,w4_dien --opening=false"; do
  [[ $calls == *"$part"* ]] || fail "the runner was called with $calls, expected $part"
done

# It waits while another one measures.
(
  flock 7
  sleep 5
) 7>"$cache/lock" &
other=$!
sleep 0.5
started=$SECONDS
run --workloads=w4_dien || fail "the run beside another one failed"
[ $((SECONDS - started)) -ge 3 ] || fail "it did not wait for the other one"
wait "$other"
