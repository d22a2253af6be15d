#!/usr/bin/env bash
# The code of Android's library for arm64, linked statically with glibc, gives the golden logits under qemu on three
# processors: without the dot product, with it, and with all that qemu knows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if ! platforms/setup.sh android; then
  echo 'skipped: not installed: clang and lld (platforms/setup.sh android)'
  exit 77
fi
bundles=$(tests/golden/golden_repository.sh)
bazel build --color=no --curses=no --noshow_progress --config=android-arm64 --override_repository=golden_bundles="$bundles" \
  //tests/golden:device_test
cd bazel-bin/tests/golden/device_test.runfiles/handpick
# Each asks another quarter of the bundles, those of all precisions among it: the same models have gone through other builds.
export GTEST_TOTAL_SHARDS=4
shard=0
for processor in cortex-a53 cortex-a76 max; do
  GTEST_SHARD_INDEX=$shard qemu-aarch64-static -cpu $processor tests/golden/device_test --gtest_brief=1 | tee /dev/stderr |
    grep -q '^\[  PASSED  \] [1-9][0-9][0-9]'
  shard=$((shard + 1))
done
