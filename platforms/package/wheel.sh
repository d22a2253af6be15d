# shellcheck shell=bash
# The Python package with the converter's command and the runtime in it, for this machine's processor.
# With signatures: what holds the library's size is for phones.
build --define=handpick_signature=on //converter/cli:handpick //sdk:handpick_shared
HANDPICK_BINARY=$root/bazel-bin/converter/cli/handpick HANDPICK_LIBRARY=$root/bazel-bin/sdk/shared/libhandpick.so \
  converter/python/build_wheel.sh "$out"
