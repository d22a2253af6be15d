#!/usr/bin/env bash
# HR@10 and NDCG@10 of the NeuralCF authors' GMF of 8 factors, through the runtime. README.md says what DATA_FOLDER has.
#
#     examples/neuralcf/gmf_ml_1m.sh DATA_FOLDER
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

python3 "$here/gmf_ml_1m.py" prepare "$data" "$work"
"$handpick" convert --spec "$here/gmf_ml_1m.spec.json" --weights "$data/ml-1m_GMF_8_1501651698.h5" --out "$work/gmf.hpk"
"$handpick" score --bundle "$work/gmf.hpk" --requests "$work/requests.jsonl" >"$work/logits.jsonl"
python3 "$here/gmf_ml_1m.py" measure "$work/logits.jsonl"
