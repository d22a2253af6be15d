#!/usr/bin/env bash
# Makes the repository @golden_bundles of the bundles that the converter writes on this machine, and prints its folder.
# device_test of another processor opens those: the converter is not cross-compiled.
#
#     bazel test --config=arm64 --override_repository=golden_bundles="$(tests/golden/golden_repository.sh)" ...
#
# Status 1, with what Bazel says, where it does not work out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
quiet=(--color=no --curses=no --noshow_progress)
said=$(mktemp)
trap 'rm -f "$said"' EXIT
base=$(bazel info output_base 2>"$said") && bin=$(bazel info bazel-bin 2>"$said") || { cat "$said" >&2; exit 1; }
folder=$base/golden_bundles
rm -rf "$folder"
mkdir -p "$folder/bundles"
: >"$folder/WORKSPACE"
printf '%s\n' 'filegroup(name = "bundles", srcs = glob(["bundles/*"]), visibility = ["//visibility:public"])' >"$folder/BUILD"
# Without them device_test does not build, and has failed.
if bazel build "${quiet[@]}" //tests/golden:bundles >&2; then
  cp -L "$bin"/tests/golden/bundles/*.hpk "$bin"/tests/golden/bundles/*.jsonl "$folder/bundles/"
fi
printf '%s\n' "$folder"
