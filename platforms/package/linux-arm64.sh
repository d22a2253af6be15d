# shellcheck shell=bash
# The runtime for Linux on 64-bit ARM, for programs in C and C++.
# shellcheck source=common_linux.sh
. platforms/package/common_linux.sh
linux_package linux-arm64 arm64 aarch64-linux-gnu --config=arm64
