# What the scripts share: a folder of data, one to work in, and the converter. Sourced.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# != 1 ] || [ ! -d "$1" ]; then
  printf 'usage: %s DATA_FOLDER\n' "$0" >&2
  exit 2
fi
data=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# HANDPICK names a converter that is there already.
handpick=${HANDPICK:-}
if [ -z "$handpick" ]; then
  cd "$here/../.."
  bash platforms/setup.sh
  bazel build -c opt //converter/cli:handpick
  handpick=$(bazel info -c opt bazel-bin 2>/dev/null)/converter/cli/handpick
fi
