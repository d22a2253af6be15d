#!/usr/bin/env bash
# examples/evaluate_dask: eight files by worker processes, one of which is killed, give the numbers of one process.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! platforms/setup.sh dask; then
  echo 'skipped: not installed: Dask (platforms/setup.sh dask)'
  exit 77
fi
bazel build --color=no --curses=no --noshow_progress //converter/cli:handpick
handpick=$(bazel info bazel-bin 2>/dev/null)/converter/cli/handpick
model=examples/din/model
"$handpick" convert --quiet --spec $model/model.spec.json --weights $model/model.safetensors --catalog $model/catalog.jsonl \
  --precision int8 --out "$work/b.hpk"
split --number=l/8 --additional-suffix=.jsonl $model/evaluation.jsonl "$work/part-"
"$handpick" evaluate --json --bundle "$work/b.hpk" --rows $model/evaluation.jsonl --slice history --require 'auc >= 0.7' \
  --instruction-sets own >"$work/whole.json"
status=0
timeout 120 /usr/bin/python3 examples/evaluate_dask/evaluate.py --handpick "$handpick" --bundle "$work/b.hpk" --kill --require 'auc >= 0.7' \
  "$work"/part-*.jsonl -- --slice history >"$work/parts.json" 2>"$work/log" || status=$?
[ "$status" = 0 ] || { cat "$work/log"; exit 1; }
grep -q '^ended worker' "$work/log"
cmp "$work/whole.json" "$work/parts.json"
# A pipe of lines.
"$handpick" evaluate --bundle "$work/b.hpk" --rows - --slice history --partial - <$model/evaluation.jsonl | base64 -w0 | base64 -d >"$work/piped"
"$handpick" evaluate --json --merge "$work/piped" --require 'auc >= 0.7' | cmp - "$work/whole.json"
echo 'eight files, a worker killed, and a pipe: the numbers of one process'
