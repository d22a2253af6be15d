#!/usr/bin/env bash
# Recall on a million vectors, against FAISS and hnswlib: one thread, one run.
#
#     tests/benchmarks/recall/run.sh                 builds what is missing below the folder, measures, prints a table
#     tests/benchmarks/recall/run.sh --sigma=1 --items=200000 --recall=0.95      other data: another folder
#
# Needs the two libraries: apt-get install libfaiss-dev libhnswlib-dev libopenblas-dev. Takes about 10 minutes and 3 GB of memory
# the first time (hnswlib's graph takes half of that), 2 minutes again. HANDPICK_RECALL_FOLDER: where indexes are kept
# (2 GB; default: a folder in ~/.cache/handpick).
set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
cd "$root"

items=1000000
sigma=0.5
recall=0.95
for argument in "$@"; do
  case $argument in
    --items=*) items=${argument#*=} ;;
    --sigma=*) sigma=${argument#*=} ;;
    --recall=*) recall=${argument#*=} ;;
    *)
      printf "run.sh: no option '%s'; there are: --items=, --sigma=, --recall=\n" "$argument" >&2
      exit 2
      ;;
  esac
done

for header in faiss/Index.h hnswlib/hnswlib.h; do
  if [ ! -e "/usr/include/$header" ]; then
    printf 'run.sh: /usr/include/%s is missing: apt-get install libfaiss-dev libhnswlib-dev libopenblas-dev\n' "$header" >&2
    exit 1
  fi
done

folder=${HANDPICK_RECALL_FOLDER:-$HOME/.cache/handpick/recall-benchmark}/$items-$sigma-$recall
mkdir -p "$folder"
package=//tests/benchmarks/recall
bazel build --noshow_progress $package:build_handpick $package:build_rivals $package:measure
programs=bazel-bin/tests/benchmarks/recall
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1

data=(--items="$items" --sigma="$sigma" --folder="$folder")
[ -e "$folder/hnswlib M=16.seconds" ] || $programs/build_rivals --library=hnswlib "${data[@]}"
[ -e "$folder/faiss IndexFlatIP.seconds" ] || $programs/build_rivals --library=faiss "${data[@]}"
$programs/build_handpick --recall="$recall" "${data[@]}" > "$folder/tuning.txt"
tail -n 3 "$folder/tuning.txt"
$programs/measure --recall="$recall" --json="$folder/result.json" "${data[@]}"
printf 'all that was tuned: %s\nJSON: %s\n' "$folder/tuning.txt" "$folder/result.json"
