#!/usr/bin/env bash
# Instructions that a candidate takes, by DIN and DIEN in f32 and int8, on cores without SDOT, with it, and with SMMLA:
#
#     tests/kernels_static/count.sh QEMU PLUGIN MODELS
#
# QEMU: qemu-aarch64 with plugins (Debian: the package qemu-user). PLUGIN: block_counts.c, compiled. MODELS: w3_din.f32.hpk and so
# on, of tests/benchmarks/rivals. What three requests of 200 candidates take beyond one, by 400: events are set, and matrices
# widened, for each request.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
qemu=$1 plugin=$2 models=$3
bazel build --config=arm64 --linkopt=-static --color=no --curses=no --noshow_progress //tests/kernels_static:count_candidates >&2
binary=$(bazel info --config=arm64 bazel-bin 2>/dev/null)/tests/kernels_static/count_candidates

count() { # cpu bundle requests
  "$qemu" -cpu "$1" -plugin "$plugin" -d plugin "$binary" "$2" 200 "$3" 2>&1 |
    python3 -c '
import re, sys
blocks = re.findall("^([0-9a-f]+) ([0-9a-f]+) ([0-9]+)$", sys.stdin.read(), re.M)
print(sum(((int(last, 16) - int(first, 16)) // 4 + 1) * int(count) for first, last, count in blocks))'
}

printf '| model | cpu | f32 | int8 | int8 / f32 |\n|---|---|---|---|---|\n'
for model in w3_din w4_dien; do
  for cpu in cortex-a53 cortex-a76 max; do
    for precision in f32 int8; do
      bundle=$models/$model.$precision.hpk
      one=$(count "$cpu" "$bundle" 1)
      three=$(count "$cpu" "$bundle" 3)
      declare "$precision=$(((three - one) / 400))"
    done
    # shellcheck disable=SC2154
    printf '| %s | %s | %d | %d | %s |\n' "$model" "$cpu" "$f32" "$int8" "$(python3 -c "print('%.3f' % ($int8 / $f32))")"
  done
done
