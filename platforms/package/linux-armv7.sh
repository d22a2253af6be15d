# shellcheck shell=bash
# The runtime for Linux on 32-bit ARM (Armv7 with NEON and VFPv4, hard float), for programs in C and C++.
# shellcheck source=common_linux.sh
. platforms/package/common_linux.sh
linux_package linux-armv7 armhf arm-linux-gnueabihf --config=armv7
