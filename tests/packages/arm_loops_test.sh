#!/usr/bin/env bash
# The inner loops of Android's arm64 kernels take as many cycles, by llvm-mca's models, as tests/kernels_static/table.json says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if ! platforms/setup.sh android || ! command -v llvm-mca-19 >/dev/null; then
  echo 'skipped: not installed: clang and llvm-mca (platforms/setup.sh android)'
  exit 77
fi
mapfile -t objects < <(tests/kernels_static/objects.sh)
tests/kernels_static/analyse.py "${objects[@]}" --check tests/kernels_static/table.json
