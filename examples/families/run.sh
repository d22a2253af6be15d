#!/usr/bin/env bash
# Trains the families of models, converts each to float32 and int8, and prints a table of AUCs:
#
#     examples/families/run.sh --data DIRECTORY [--out DIRECTORY] [FAMILY...]
#
# --data has ratings.csv and movies.csv of MovieLens' ml-latest-small. --out keeps models, reports and bundles, and a
# family that was trained there before is not trained again. Exit status: 1 when a conversion was refused, which is when
# the bundle's ranking differs from the trained model's; all others are converted all the same.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=${PYTHON:-/usr/bin/python3}
data=
out=
families=()
while [ $# -gt 0 ]; do
  case $1 in
    --data | --out)
      [ $# -ge 2 ] || { printf '%s: %s needs a directory\n' "$0" "$1" >&2; exit 2; }
      [ "$1" = --data ] && data=$2 || out=$2
      shift 2
      ;;
    -*) printf '%s: there is no %s\n' "$0" "$1" >&2; exit 2 ;;
    *) families+=("$1"); shift ;;
  esac
done
[ -n "$data" ] || { printf 'usage: %s --data DIRECTORY [--out DIRECTORY] [FAMILY...]\n' "$0" >&2; exit 2; }
data=$(cd "$data" && pwd)
if [ -z "$out" ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$root"
exec </dev/null

if [ ${#families[@]} = 0 ]; then
  mapfile -t families < <("$python" -c 'import sys; sys.path[:0] = ["examples/families", "examples/common"]
from spec import FAMILIES
print(*FAMILIES, sep="\n")')
fi

bash platforms/setup.sh >&2
bazel build --noshow_progress //converter/cli:handpick >&2
handpick=$(bazel info bazel-bin 2>/dev/null)/converter/cli/handpick

failed=0
for family in "${families[@]}"; do
  if [ ! -f "$out/$family/training.json" ]; then
    "$python" examples/families/train.py --data "$data" --out "$out" "$family" >&2
  fi
  for precision in f32 int8; do
    "$handpick" convert --spec "$out/$family/model.spec.json" --weights "$out/$family/model.safetensors" \
      --catalog "$out/$family/catalog.jsonl" --golden "$out/$family/golden.jsonl" \
      --evaluation "$out/$family/evaluation.jsonl,$out/$family/ranking.jsonl" --precision "$precision" \
      --report "$out/$family/$precision.json" --out "$out/$family/$precision.hpk" >&2 || failed=1
  done
done
"$python" examples/families/table.py "$out" "${families[@]}"
exit $failed
