#!/usr/bin/env bash
# Measures Handpick against another runtime on the standard workloads, from nothing:
#
#     tests/benchmarks/rivals/run.sh                          # ONNX Runtime, all workloads, about three minutes
#     tests/benchmarks/rivals/run.sh --workloads=w3_din       # one of them
#     tests/benchmarks/rivals/run.sh --json=results.json --samples=50 --seconds=40
#     tests/benchmarks/rivals/run.sh --markdown               # writes the tables of the READMEs, too
#     tests/benchmarks/rivals/run.sh --simd=avx2              # Handpick's kernels held to an older instruction set
#     tests/benchmarks/rivals/run.sh --rival=litert           # LiteRT, which you have built
#
# Other arguments go to the runner (runner.cc). ONNX Runtime comes from npm, the header of its C API and Python's
# onnx package from Debian; they and the models go below ~/.cache/handpick/rivals. But for the READMEs nothing in the
# checkout changes. Set ONNXRUNTIME_INCLUDE to a folder with onnxruntime/onnxruntime_c_api.h to use that header, and
# ONNXRUNTIME_LIBRARY to a library to use that, with RIVAL_NOTE saying what it is.
#
# For LiteRT set LITERT_INCLUDE (a folder with tflite/c/c_api.h: LiteRT's sources), LITERT_LIBRARY (a shared library with
# the C API and the XNNPACK delegate), LITERT_FLATC (its flatc) and LITERT_VERSION (its commit).
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
bundles=$cache/models # With ONNX's files.
python=${PYTHON:-/usr/bin/python3}

say() { printf 'rivals: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

rival=onnxruntime
command=tests/benchmarks/rivals/run.sh # As the READMEs show it: the same for every workload.
arguments=()
for argument in "$@"; do
  case $argument in
    --rival=*)
      rival=${argument#*=}
      command+=" $argument"
      ;;
    --simd=*)
      arguments+=("$argument")
      command+=" $argument"
      ;;
    --markdown) arguments+=("--markdown=$root/tests/benchmarks/README.md,$root/README.md") ;;
    *) arguments+=("$argument") ;;
  esac
done
case $rival in
  onnxruntime) models=$bundles ;;
  litert) models=$cache/litert ;;
  *) die "no rival '$rival'; there are: onnxruntime, litert" ;;
esac

install_library() {
  local architecture found
  library=${ONNXRUNTIME_LIBRARY:-}
  [ -z "$library" ] || return 0
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

find_litert() {
  local name
  for name in LITERT_INCLUDE LITERT_LIBRARY LITERT_FLATC LITERT_VERSION; do
    [ -n "${!name:-}" ] || die "please set $name: see the head of run.sh"
  done
  include=$LITERT_INCLUDE
  library=$LITERT_LIBRARY
  [ -f "$include/tflite/c/c_api.h" ] || die "$include has no tflite/c/c_api.h"
}

build() {
  bash "$root/platforms/setup.sh" >&2
  (cd "$root" && bazel build --noshow_progress //tests/benchmarks/rivals:runner \
    //tests/benchmarks/rivals:write_weights //tests/benchmarks/workloads:write_bundle) >&2
  adapter=$cache/lib${rival}_rival.so
  "${CXX:-g++}" -std=c++17 -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden \
    -DLITERT_VERSION="\"${LITERT_VERSION:-}\"" -I"$root" -isystem "$include" "$here/$rival.cc" -o "$adapter" \
    "$library" -Wl,-rpath,"${library%/*}"
}

make_bundles() {
  local bin=$root/bazel-bin/tests/benchmarks workload precision
  mkdir -p "$bundles"
  "$bin/rivals/write_weights" "$bundles"
  for precision in f32 int8; do
    for workload in w1_wide_deep w2_nfm w3_din w4_dien w5_deepfm w6_dcn w7_pnn w8_afm; do
      "$bin/workloads/write_bundle" --workload="$workload" --precision="$precision" \
        --out="$bundles/$workload.$precision.hpk"
    done
    "$bin/workloads/write_bundle" --workload=w3_din --precision="$precision" --table_scale=10 \
      --out="$bundles/w3_din.tables10.$precision.hpk"
  done
}

make_models() {
  say "making the models"
  make_bundles
  case $rival in
    onnxruntime) "$python" "$here/make_onnx.py" "$bundles" "$models" ;;
    litert)
      "$python" "$here/make_tflite.py" "$include/tflite/converter/schema/schema.fbs" "$LITERT_FLATC" "$bundles" \
        "$models"
      # The others have no models of LiteRT; opening is compared with ONNX Runtime.
      arguments=(--workloads=w1_wide_deep,w2_nfm,w3_din,w4_dien --opening=false "${arguments[@]}")
      ;;
  esac
}

mkdir -p "$cache"
# One at a time: they would measure each other. flock closes the lock before it runs what follows: Bazel's server would
# keep it, and outlives this.
if [ -z "${HANDPICK_RIVALS_ALONE:-}" ]; then
  HANDPICK_RIVALS_ALONE=1 exec flock --close "$cache/lock" bash "$here/run.sh" "$@"
fi
install_python
if [ "$rival" = litert ]; then
  find_litert
else
  install_library
  install_header
fi
build
make_models
say "measuring"
"$root/bazel-bin/tests/benchmarks/rivals/runner" --library="$adapter" --models="$models" --bundles="$bundles" \
  --command="$command" --note="${RIVAL_NOTE:-}" "${arguments[@]}"
