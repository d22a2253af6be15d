#!/usr/bin/env bash
# Makes the bundles that device_test opens, on the machine that builds:
#
#     make_bundles.sh HANDPICK DIRECTORY MODELS FILE...
#
# For every NAME.spec.json among the files, with its weights, requests and (if there is one) catalog:
# DIRECTORY/NAME.{f32,int8}.hpk, with the requests as golden requests, and DIRECTORY/NAME.{f32,int8}.logits.jsonl,
# their logits as the runtime computes them here. Fails unless there are as many models as MODELS says.
set -euo pipefail

handpick=$1
directory=$2
expected=$3
shift 3
mkdir -p "$directory"

find_file() { # name: the file of that name, or nothing
  local file
  for file in "${files[@]}"; do
    case $file in */"$1") printf '%s' "$file" && return ;; esac
  done
}

files=("$@")
models=0
for spec in "${files[@]}"; do
  case $spec in *.spec.json) ;; *) continue ;; esac
  stem=${spec##*/}
  stem=${stem%.spec.json}
  models=$((models + 1))
  name=$stem
  requests=$(find_file "$stem.requests.jsonl")
  catalog=()
  if [ "$stem" = model ]; then # examples/wide_deep/model
    name=movielens
    requests=$(find_file golden.jsonl)
    catalog=(--catalog "$(find_file catalog.jsonl)")
  fi
  weights=$(find_file "$stem.safetensors")
  [ -n "$weights" ] || weights=$(find_file "$stem.npz")
  for precision in f32 int8; do
    out=$directory/$name.$precision
    "$handpick" convert --spec "$spec" --weights "$weights" --precision "$precision" \
      --golden "$requests" ${catalog[@]+"${catalog[@]}"} --out "$out.hpk" >"$out.log" 2>&1 ||
      { cat "$out.log" >&2; printf 'make_bundles: %s (%s) was not converted\n' "$name" "$precision" >&2; exit 1; }
    "$handpick" score --bundle "$out.hpk" --requests "$requests" >"$out.logits.jsonl"
  done
done
if [ "$models" != "$expected" ]; then
  printf 'make_bundles: %s models, but MODELS of bundles.bzl has %s\n' "$models" "$expected" >&2
  exit 1
fi
