#!/usr/bin/env bash
# AUC of SparrowRecSys' NeuralCF on its test rows, through the runtime. README.md says what DATA_FOLDER has.
#
#     examples/neuralcf/sparrow.sh DATA_FOLDER
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

python3 "$here/sparrow.py" prepare "$data" "$work"
"$handpick" convert --spec "$here/sparrow.spec.json" --weights "$data/neuralcf_001.npz" \
  --evaluation "$work/rows.jsonl" --report "$work/report.json" --out "$work/neuralcf.hpk"
python3 "$here/sparrow.py" measure "$work/report.json"
