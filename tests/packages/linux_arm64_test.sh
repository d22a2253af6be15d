#!/usr/bin/env bash
# The package for Linux on arm64: what it shows and needs, and the example of CMake built with it, run under qemu.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/linux_common.sh"
test_other_processor linux-arm64 aarch64-linux-gnu aarch64 qemu-aarch64-static
