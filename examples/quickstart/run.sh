#!/usr/bin/env bash
# From trained models to ten films: builds the converter and the quickstart, converts the DIN model of
# examples/din to float32 and int8, reports how far both are from the trained model, adds a recall index
# of the item vectors of examples/item2vec, and recommends to a real user with both through the C API.
#
#     examples/quickstart/run.sh [--out DIRECTORY]     DIRECTORY keeps the bundles
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=
case $#:${1-} in
  0:) ;;
  2:--out) mkdir -p "$2" && out=$(cd "$2" && pwd) ;;
  *)
    printf 'usage: %s [--out DIRECTORY]\n' "$0" >&2
    exit 2
    ;;
esac
cd "$root"
exec </dev/null

if [ -z "$out" ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi

say() { printf '\n== %s\n' "$*"; }

say 'Setting up and building (a few minutes the first time)'
bash platforms/setup.sh
quiet=()
[ -t 2 ] || quiet=(--color=no --curses=no --show_progress_rate_limit=60)
bazel build -c opt ${quiet[@]+"${quiet[@]}"} //converter/cli:handpick //examples/quickstart
bin=$(bazel info -c opt bazel-bin 2>/dev/null)

model=examples/din/model
vectors=examples/item2vec/model/item2vec.npz
for precision in f32 int8; do
  say "Converting $model to $precision, and measuring against the trained model in float64"
  "$bin/converter/cli/handpick" convert \
    --spec "$model/model.spec.json" --weights "$model/model.safetensors" \
    --catalog "$model/catalog.jsonl" --golden "$model/golden.jsonl" \
    --evaluation "$model/evaluation.jsonl,$model/ranking.jsonl" \
    --precision "$precision" --out "$out/din.$precision.hpk"
  say "Adding a recall index of $vectors"
  "$bin/converter/cli/handpick" recall-index --vectors "$vectors" \
    --bundle "$out/din.$precision.hpk" --k 200 --out "$out/movielens.$precision.hpk"
done

say "Recommending to the user of line 1 of $model/ranking.jsonl through the C API"
"$bin/examples/quickstart/quickstart" "$out/movielens.f32.hpk" "$out/movielens.int8.hpk"
