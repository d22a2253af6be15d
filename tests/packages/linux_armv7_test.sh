#!/usr/bin/env bash
# The package for Linux on armv7: what it shows and needs, and the example of CMake built with it, run under qemu.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/linux_common.sh"
test_other_processor linux-armv7 arm-linux-gnueabihf armv7 qemu-arm-static
