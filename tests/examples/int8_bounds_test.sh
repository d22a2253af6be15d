#!/usr/bin/env bash
# What int8 may cost on an example's evaluation rows: 0.001 of AUC, one item in twenty of the top 10.
# `handpick convert` measures both and refuses to write a bundle that breaks a bound.
set -eu
handpick=$1
model=$2      # Folder with the model's spec, weights and goldens.
requests=$3   # Folder with its catalog and its evaluation and ranking requests.
out=$TEST_TMPDIR/int8.hpk
"$handpick" convert --precision int8 --spec "$model/model.spec.json" \
  --weights "$model/model.safetensors" --golden "$model/golden.jsonl" \
  --catalog "$requests/catalog.jsonl" --evaluation "$requests/evaluation.jsonl" \
  --evaluation "$requests/ranking.jsonl" --max-auc-drift 0.001 --min-top10-overlap 0.95 --out "$out"
[ -s "$out" ] || { echo "no bundle was written"; exit 1; }
"$handpick" verify --bundle "$out"
