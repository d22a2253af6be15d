#!/usr/bin/env bash
# Builds the objects that are analysed, as the Android library has them, and prints where they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bazel build --config=android-arm64 --color=no --curses=no --noshow_progress \
  //sdk:panel_kernels //sdk:gemm_kernels //sdk/recall:scan >&2
bin=$(bazel info --config=android-arm64 bazel-bin 2>/dev/null)
ls "$bin"/sdk/_objs/panel_kernels/*.o "$bin"/sdk/recall/_objs/scan/*.o "$bin"/external/xnnpack/_objs/*/*.o
