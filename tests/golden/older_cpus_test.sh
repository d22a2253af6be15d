#!/usr/bin/env bash
# Runs device_test as processors without AVX-512, and without any AVX, would: ours and the engine's choice of kernels, which
# device_test alone cannot set.
#
#     older_cpus_test.sh DEVICE_TEST
set -euo pipefail

if ! command -v qemu-x86_64-static >/dev/null; then
  printf 'qemu-x86_64-static is not installed: platforms/setup.sh does\n' >&2
  exit 1
fi
# Emulated AVX takes about 20 times as long as emulated SSE: a few bundles.
qemu-x86_64-static -cpu Nehalem "$1"
qemu-x86_64-static -cpu Haswell "$1" --gtest_filter='*/dien_augru_softmax_*:*/din_sigmoid_*:*/nfm_history_*'
