#!/usr/bin/env bash
# platforms/ci: what pipelines are given is well-formed, names what there is, and its commands do what they say.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! platforms/setup.sh ci; then
  echo 'skipped: not installed: yamllint (platforms/setup.sh ci)'
  exit 77
fi
yamllint --strict -d '{extends: default, rules: {line-length: {max: 140}, truthy: disable}}' platforms/ci
/usr/bin/python3 - <<'CHECK'
import re, yaml
script = open("platforms/ci/release.sh").read()
known = set(re.findall(r"\$\{([A-Z_]+)[:}]", script))
action = yaml.safe_load(open("platforms/ci/github/action.yml"))
step = action["runs"]["steps"][1]
assert set(step["env"]) <= known, set(step["env"]) - known
for value in step["env"].values():  # Each setting comes from an input that there is.
    assert re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", value).group(1) in action["inputs"], value
template = yaml.safe_load(open("platforms/ci/gitlab/handpick.yml"))[".handpick-release"]
assert template["script"] == ["platforms/ci/release.sh"] and set(template["variables"]) <= known
assert template["artifacts"]["reports"]["junit"] == template["variables"]["OUT"] + "/junit.xml"
# Every instruction of the container's is one that there is, and it begins from an image.
lines = re.sub(r"\\\n", " ", open("platforms/ci/Containerfile").read()).splitlines()
instructions = [line.split()[0] for line in lines if line and not line.startswith("#")]
assert instructions[0] == "FROM" and set(instructions) <= {"FROM", "RUN", "COPY", "USER", "WORKDIR", "CMD"}, instructions
CHECK
bazel build --color=no --curses=no --noshow_progress //converter/cli:handpick
HANDPICK=$(bazel info bazel-bin 2>/dev/null)/converter/cli/handpick
model=$PWD/examples/din/model
export HANDPICK SPEC=$model/model.spec.json WEIGHTS=$model/model.safetensors CATALOG=$model/catalog.jsonl GOLDEN=$model/golden.jsonl \
  ROWS=$model/evaluation.jsonl SLICE=history

release() { # status that is expected
  local status=0
  platforms/ci/release.sh 2>"$work/errors" || status=$?
  [ "$status" = "$1" ] || { cat "$work/errors"; printf 'status %s, expected %s\n' "$status" "$1"; exit 1; }
}
there() { (cd "$OUT" && find . -type f | LC_ALL=C sort | tr '\n' ' '); }

verdict() { # bundle, verdict that is expected: what `inspect` reads of the evaluation in the manifest
  "$HANDPICK" inspect --json "$1" >"$work/inspected"
  /usr/bin/python3 - "$2" "$work/inspected" <<'VERDICT'
import json, sys
gate = json.load(open(sys.argv[2]))["gate"]
evaluation = (gate or {}).get("evaluation")
if sys.argv[1] == "none":
    assert evaluation is None, evaluation
    sys.exit()
assert evaluation["verdict"] == sys.argv[1], evaluation
assert [row["name"] for row in evaluation["inputs"]] == ["evaluation.jsonl"], evaluation["inputs"]
assert any(metric["name"] == "auc" and metric["low"] < metric["value"] < metric["high"] for metric in evaluation["metrics"])
assert evaluation["decisions"] and all(one["require"] for one in evaluation["decisions"]), evaluation["decisions"]
VERDICT
}

# The first release has nothing to be compared with.
export OUT=$work/first AGAINST=$work/none.hpk GITHUB_STEP_SUMMARY=$work/summary
REQUIRE='auc >= 0.7
auc.change >= -0.001' release 0
[ "$(there)" = './bundle.hpk ./evaluation.json ./junit.xml ./manifest.json ./report.html ./report.md ' ] || { there; exit 1; }
grep -q 'not demanded: auc.change' "$work/errors"
grep -q '## Evaluation: pass' "$work/summary"
verdict "$OUT/bundle.hpk" pass
grep -q '"evaluation"' "$OUT/manifest.json"

# In 8 bits, against it.
export OUT=$work/second AGAINST=$work/first/bundle.hpk PRECISION=int8
REQUIRE='auc >= 0.7
auc.change >= -0.001' release 0
[ "$(there)" = './bundle.hpk ./evaluation.json ./junit.xml ./manifest.json ./report.html ./report.md ./update.delta ' ] || { there; exit 1; }
"$HANDPICK" patch "$AGAINST" "$OUT/update.delta" --out "$work/patched.hpk"
cmp "$work/patched.hpk" "$OUT/bundle.hpk"
verdict "$OUT/bundle.hpk" pass

# Where nothing is demanded, nothing was decided.
OUT=$work/undemanded AGAINST='' REQUIRE='' release 0
verdict "$work/undemanded/bundle.hpk" none

# Searched within a budget, and signed: by a key in a file, and by its text. The delta is of what was signed.
openssl genpkey -algorithm ed25519 -out "$work/key.pem" 2>/dev/null
openssl pkey -in "$work/key.pem" -pubout -out "$work/key.pub"
export REQUIRE='auc >= 0.7' BUDGET=auc=0.001,overlap=0.9 EVALUATION=$model/evaluation.jsonl,$model/ranking.jsonl
OUT=$work/signed PRECISION=auto SIGN_KEY=$work/key.pem release 0
OUT=$work/signed
[ "$(there)" = './bundle.hpk ./conversion.json ./evaluation.json ./junit.xml ./manifest.json ./report.html ./report.md ./update.delta ' ] || { there; exit 1; }
"$HANDPICK" verify --bundle "$OUT/bundle.hpk" --key "$work/key.pub" >/dev/null
verdict "$OUT/bundle.hpk" pass
grep -q '<h2>Tables and layers</h2>' "$OUT/report.html"
"$HANDPICK" patch "$AGAINST" "$OUT/update.delta" --out "$work/patched.hpk"
cmp "$work/patched.hpk" "$OUT/bundle.hpk"
OUT=$work/text SIGN_KEY=$(cat "$work/key.pem") release 0
"$HANDPICK" verify --bundle "$work/text/bundle.hpk" --key "$work/key.pub" >/dev/null
! grep -rq 'PRIVATE KEY' "$work/text" || { echo 'the key was written'; exit 1; }
if "$HANDPICK" verify --bundle "$work/second/bundle.hpk" --key "$work/key.pub" 2>/dev/null; then echo 'signed without a key'; exit 1; fi
OUT=$work/no_key SIGN_KEY=$work/none.pem release 1
grep -q 'SIGN_KEY is .*/none.pem: no such file' "$work/errors"
# A key that is none is found out at the end: no bundle either.
OUT=$work/no_key SIGN_KEY='-----BEGIN PRIVATE KEY-----' release 1
[ ! -e "$work/no_key/bundle.hpk" ] && [ ! -e "$work/no_key/update.delta" ]
OUT=$work/none BUDGET=size=1KB PRECISION=auto release 1
grep -q 'no choice of precisions is within the budget' "$work/errors"
[ ! -e "$work/none/bundle.hpk" ]
OUT=$work/none BUDGET='' PRECISION=auto release 1
grep -q 'BUDGET is not set' "$work/errors"
export OUT=$work/second BUDGET='' EVALUATION=''

# Neither leaves a bundle, though one was there.
REQUIRE='kendall_tau >= 0.9999' release 3
[ "$(there)" = './evaluation.json ./junit.xml ./report.html ./report.md ' ] || { there; exit 1; }
REQUIRE='auc >= 0.8' release 4
[ "$(there)" = './evaluation.json ./junit.xml ./report.html ./report.md ' ] || { there; exit 1; }
grep -q '<error message="undecided' "$OUT/junit.xml"
WEIGHTS=$work/none.safetensors release 1
[ "$(there)" = '' ] || { there; exit 1; }
ROWS='' release 1
echo 'releases: one that ships, a first one, one that fails, one that is undecided, one that is signed, errors'
