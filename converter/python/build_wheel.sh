#!/usr/bin/env bash
# Makes the wheel `handpick`, with the command and the runtime's shared library in it:
#
#     bazel build //converter/cli:handpick //sdk:handpick_shared
#     converter/python/build_wheel.sh [OUT]    # the folder, default: dist; prints the wheel's path
#
# HANDPICK_BINARY and HANDPICK_LIBRARY name others than Bazel's. The same files and tools make the same bytes.
set -euo pipefail
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
out=${1:-dist}
binary=${HANDPICK_BINARY:-$root/bazel-bin/converter/cli/handpick}
library=${HANDPICK_LIBRARY:-$root/bazel-bin/sdk/shared/libhandpick.so}
python=${PYTHON:-/usr/bin/python3}

die() { printf 'build_wheel.sh: %s\n' "$*" >&2; exit 1; }

[ -f "$binary" ] || die "there is no '$binary': bazel build //converter/cli:handpick"
[ -f "$library" ] || die "there is no '$library': bazel build //sdk:handpick_shared"

# The oldest C library that has what the command asks for says where the wheel runs, as in PEP 600. The symbols of GCC's
# libraries are no newer on any of the distributions with that one (gcc 12 links GLIBCXX_3.4.29, that of manylinux_2_34).
glibc=$(objdump -T "$binary" "$library" | grep -o 'GLIBC_2\.[0-9]*' | sort -uV | sed -n '$s/GLIBC_2\.//p')
[ -n "$glibc" ] || die "'$binary' asks for no symbol of glibc"
HANDPICK_WHEEL_PLATFORM=manylinux_2_${glibc}_$(uname -m)
HANDPICK_WHEEL_VERSION=$("$binary" help | sed -n '1s/^handpick \([^:]*\):.*/\1/p')
[ -n "$HANDPICK_WHEEL_VERSION" ] || die "'$binary help' does not say its version"
export HANDPICK_WHEEL_PLATFORM HANDPICK_WHEEL_VERSION
# The time of every file in the wheel: the first that a zip archive can have.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-315532800}

# Building leaves files beside the sources, so that it gets sources of its own.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/source/handpick/bin" "$out"
install -m 644 "$here"/pyproject.toml "$here"/setup.py "$here"/README.md "$root"/LICENSE "$work/source"
install -m 644 "$here"/handpick/*.py "$work/source/handpick"
install -m 755 "$binary" "$work/source/handpick/bin/handpick"
install -m 755 "$library" "$work/source/handpick/bin/libhandpick.so"
strip --strip-unneeded "$work/source/handpick/bin/libhandpick.so"

# Nothing is downloaded: setuptools and wheel are this machine's.
unset PYTHONPATH
"$python" -m pip --disable-pip-version-check wheel --quiet --no-index --no-deps --no-build-isolation --no-cache-dir \
  --wheel-dir "$work/wheel" "$work/source" >&2
cp "$work"/wheel/*.whl "$out"
printf '%s\n' "$out"/"$(basename "$work"/wheel/*.whl)"
