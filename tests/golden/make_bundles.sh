#!/usr/bin/env bash
# Makes the bundles that device_test opens, on the machine that builds:
#
#     make_bundles.sh HANDPICK DIRECTORY MODELS FILE...
#
# For every KIND/NAME.spec.json among the files, with its weights and requests: DIRECTORY/KIND_NAME.{f32,f16,int8}.hpk, with
# the requests as golden requests, and DIRECTORY/KIND_NAME.{f32,f16,int8}.logits.jsonl, their logits as the runtime computes
# them here. The model of examples/KIND/model is KIND_movielens, and has a catalog. Fails unless there are as many models as
# MODELS says.
set -euo pipefail

handpick=$1
directory=$2
expected=$3
shift 3
mkdir -p "$directory"

models=0
for spec in "$@"; do
  case $spec in *.spec.json) ;; *) continue ;; esac
  models=$((models + 1))
  stem=${spec%.spec.json}
  folder=${spec%/*}
  name=${folder##*/}_${stem##*/}
  requests=$stem.requests.jsonl
  catalog=()
  if [ "${stem##*/}" = model ]; then
    folder=${folder%/model}
    name=${folder##*/}_movielens
    requests=$folder/model/golden.jsonl
    # The models without a history share one catalog, those with one another.
    case $name in
      din_* | dien_*) catalog=(--catalog "${folder%/*}/din/model/catalog.jsonl") ;;
      *) catalog=(--catalog "${folder%/*}/wide_deep/model/catalog.jsonl") ;;
    esac
  fi
  weights=$stem.safetensors
  [ -f "$weights" ] || weights=$stem.npz
  inputs=()
  [ ! -f "$weights" ] || inputs+=(--weights "$weights")
  for trees in "$stem.trees.json" "$stem.trees.txt"; do
    [ ! -f "$trees" ] || inputs+=(--trees "$trees")
  done
  for precision in f32 f16 int8; do
    out=$directory/$name.$precision
    "$handpick" convert --spec "$spec" "${inputs[@]}" --precision "$precision" \
      --golden "$requests" ${catalog[@]+"${catalog[@]}"} --out "$out.hpk" >"$out.log" 2>&1 ||
      { cat "$out.log" >&2; printf 'make_bundles: %s (%s) was not converted\n' "$name" "$precision" >&2; exit 1; }
    "$handpick" score --bundle "$out.hpk" --requests "$requests" >"$out.logits.jsonl"
  done
done
if [ "$models" != "$expected" ]; then
  printf 'make_bundles: %s models, but MODELS of bundles.bzl has %s\n' "$models" "$expected" >&2
  exit 1
fi
