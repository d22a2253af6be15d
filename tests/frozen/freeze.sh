#!/usr/bin/env bash
# Makes the bundles that frozen_test opens, of the format that HANDPICK writes:
#
#     bazel build //converter/cli:handpick
#     tests/frozen/freeze.sh bazel-bin/converter/cli/handpick tests/frozen/2.0
#
# Run once for each format, before its release, and never again: what is frozen is what a converter of its time wrote. With
# golden requests, of models of tests/goldens; din_sigmoid_and_recall and recall_alone have a recall index as well, or nothing
# else: 40 items with vectors of 8 numbers, as frozen_test says.
set -euo pipefail

if [ $# != 2 ]; then
  printf 'usage: %s HANDPICK DIRECTORY\n' "$0" >&2
  exit 2
fi
handpick=$(realpath -- "$1")
mkdir -p -- "$2"
out=$(realpath -- "$2")
cd -- "$(dirname -- "$0")/../goldens"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

MODELS="wide_deep/crossed wide_deep/history wide_deep/sigmoid_mean_with_length wide_deep/vocabularies
        nfm/history din/sigmoid dien/augru_dice_softmax"

# convert MODEL PRECISION: $out/NAME.PRECISION.hpk.
convert() {
  local kind=${1%/*} name=${1##*/}
  case $kind in wide_deep) ;; *) name=${kind}_$name ;; esac
  local weights=$1.safetensors
  [ -f "$weights" ] || weights=$1.npz
  "$handpick" convert --spec "$1.spec.json" --weights "$weights" --precision "$2" --golden "$1.requests.jsonl" \
    --out "$out/$name.$2.hpk" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}

for model in $MODELS; do
  for precision in f32 f16 int8; do convert "$model" "$precision"; done
done

# item 10 i + 3 has sin(0.37 (i + 1)^2 (j + 1)) in coordinate j.
vectors=$work/vectors.txt
awk 'BEGIN { print 40, 8
             for (i = 0; i < 40; ++i) {
               printf "%d", 10 * i + 3
               for (j = 0; j < 8; ++j) printf " %.9g", sin(0.37 * (i + 1) ^ 2 * (j + 1))
               printf "\n" } }' >"$vectors"
"$handpick" recall-index --vectors "$vectors" --k 4 --bundle "$out/din_sigmoid.f32.hpk" \
  --out "$out/din_sigmoid_and_recall.f32.hpk" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
"$handpick" recall-index --vectors "$vectors" --k 4 --name recall_alone \
  --out "$out/recall_alone.int8.hpk" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
