#!/usr/bin/env bash
# Measures Handpick against ONNX Runtime on the standard workloads, from nothing:
#
#     tests/benchmarks/rivals/run.sh                          # all of them, about three minutes
#     tests/benchmarks/rivals/run.sh --workloads=w3_din       # one of them
#     tests/benchmarks/rivals/run.sh --json=results.json --samples=50 --seconds=40
#
# Arguments go to the runner (runner.cc). ONNX Runtime comes from npm, the header of its C API and Python's
# onnx package from Debian; they and the models go below ~/.cache/handpick/rivals. Nothing in the checkout
# changes. Set ONNXRUNTIME_INCLUDE to a folder with onnxruntime/onnxruntime_c_api.h to use that header.
#
# Exit status: 0 measured, whether bars were met or not; 1 something failed, also when scores differ.
set -euo pipefail

version=1.30.0
# The C API is versioned, so that an older header works with a newer library.
header_package=pool/main/o/onnxruntime/libonnxruntime-dev_1.21.0+dfsg-1_amd64.deb
header_sha256=14f7d959d5deacbcf1504830d4189f91fc67382b399ed9ae9d3aa9c4050ced08

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/handpick/rivals
models=$cache/models
python=${PYTHON:-/usr/bin/python3}

say() { printf 'rivals: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

install_library() {
  local architecture found
  case $(uname -m) in
    x86_64) architecture=x64 ;;
    aarch64) architecture=arm64 ;;
    *) die "onnxruntime-node has no library for $(uname -m)" ;;
  esac
  if [ "$(cat "$cache/version" 2>/dev/null)" != "$version" ]; then
    command -v npm >/dev/null || die "npm is missing; please install it"
    say "installing onnxruntime-node $version"
    rm -rf "$cache/node_modules"
    # Without its scripts, which would download more.
    npm install --prefix "$cache" --ignore-scripts --no-audit --no-fund "onnxruntime-node@$version" \
      >"$cache/npm.log" 2>&1 </dev/null || { tail -n 20 "$cache/npm.log" >&2; die "npm install failed"; }
    printf '%s\n' "$version" >"$cache/version"
  fi
  found=("$cache"/node_modules/onnxruntime-node/bin/napi-v*/linux/"$architecture"/libonnxruntime.so.1)
  [ -f "${found[0]}" ] || die "onnxruntime-node has no ${found[0]}"
  library=${found[0]}
}

install_header() {
  include=${ONNXRUNTIME_INCLUDE:-$cache/header/usr/include}
  [ ! -f "$include/onnxruntime/onnxruntime_c_api.h" ] || return 0
  [ -z "${ONNXRUNTIME_INCLUDE:-}" ] || die "$include has no onnxruntime/onnxruntime_c_api.h"
  local mirror
  # The mirror that serves this machine's own Debian release; it has the newer release's packages, too.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' \
    'Identifier: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null | sed -n 1p) || true
  [ -n "$mirror" ] || die "apt knows no Debian mirror; please set ONNXRUNTIME_INCLUDE"
  say "fetching the header of the C API"
  rm -rf "$cache/header" "$cache/header.new" "$cache/header.deb"
  /usr/lib/apt/apt-helper download-file "${mirror%/}/$header_package" "$cache/header.deb" \
    "SHA256:$header_sha256" >"$cache/header.log" 2>&1 </dev/null ||
    { cat "$cache/header.log" >&2; die "cannot fetch $header_package; please set ONNXRUNTIME_INCLUDE"; }
  mkdir "$cache/header.new"
  dpkg-deb -x "$cache/header.deb" "$cache/header.new"
  mv "$cache/header.new" "$cache/header"
}

install_python() {
  "$python" -c 'import numpy, onnx' 2>/dev/null && return 0
  [ "$(id -u)" = 0 ] || die "not root, so please have these packages installed: python3-onnx python3-numpy"
  say "installing python3-onnx"
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-onnx \
    python3-numpy >"$cache/apt.log" 2>&1 </dev/null ||
    { tail -n 20 "$cache/apt.log" >&2; die "apt-get install failed"; }
}

build() {
  bash "$root/platforms/setup.sh" >&2
  (cd "$root" && bazel build --noshow_progress //tests/benchmarks/rivals:runner \
    //tests/benchmarks/rivals:write_weights //tests/benchmarks/workloads:write_bundle) >&2
  adapter=$cache/libonnxruntime_rival.so
  "${CXX:-g++}" -std=c++17 -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden \
    -I"$root" -isystem "$include" "$here/onnxruntime.cc" -o "$adapter" \
    "$library" -Wl,-rpath,"${library%/*}"
}

make_models() {
  local bin=$root/bazel-bin/tests/benchmarks workload precision
  say "making the models"
  mkdir -p "$models"
  "$bin/rivals/write_weights" "$models"
  "$python" "$here/make_onnx.py" "$models" "$models"
  for precision in f32 int8; do
    for workload in w1_wide_deep w2_nfm w3_din w4_dien w5_deepfm w6_dcn w7_pnn w8_afm; do
      "$bin/workloads/write_bundle" --workload="$workload" --precision="$precision" \
        --out="$models/$workload.$precision.hpk"
    done
    "$bin/workloads/write_bundle" --workload=w3_din --precision="$precision" --table_scale=10 \
      --out="$models/w3_din.tables10.$precision.hpk"
  done
}

mkdir -p "$cache"
# One at a time: they would measure each other. flock closes the lock before it runs what follows: Bazel's server would
# keep it, and outlives this.
if [ -z "${HANDPICK_RIVALS_ALONE:-}" ]; then
  HANDPICK_RIVALS_ALONE=1 exec flock --close "$cache/lock" bash "$here/run.sh" "$@"
fi
install_library
install_header
install_python
build
make_models
say "measuring"
"$root/bazel-bin/tests/benchmarks/rivals/runner" --library="$adapter" --models="$models" "$@"
