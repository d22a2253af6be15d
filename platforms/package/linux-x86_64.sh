# shellcheck shell=bash
# The runtime for Linux on x86-64, for programs in C and C++.
# shellcheck source=common_linux.sh
. platforms/package/common_linux.sh
linux_package linux-x86_64 amd64 x86_64-linux-gnu
