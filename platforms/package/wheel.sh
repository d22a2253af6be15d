# shellcheck shell=bash
# The Python package with the converter's command in it, for this machine's processor.
build //converter/cli:handpick
HANDPICK_BINARY=$root/bazel-bin/converter/cli/handpick converter/python/build_wheel.sh "$out"
