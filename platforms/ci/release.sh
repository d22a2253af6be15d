#!/usr/bin/env bash
# Makes a bundle of a trained model, measures it, and keeps it if it may ship: what the GitHub Action and the GitLab template run.
#
#     SPEC=model.spec.json WEIGHTS=model.safetensors ROWS=rows.jsonl REQUIRE='auc >= 0.75' OUT=release platforms/ci/release.sh
#
# Settings are environment variables. SPEC, WEIGHTS, ROWS and OUT must be set, the others may be:
#     CATALOG, GOLDEN       as of `handpick convert`
#     PRECISION             f32 (default), f16, int8, or auto, with
#     BUDGET                as of `handpick convert`
#     EVALUATION            rows by which the conversion is measured, as of `handpick convert`; for auto, where it is not set, ROWS
#     AGAINST               the bundle that is out there; where there is no such file, this is the first release
#     GROUP_BY, SLICE       as of `handpick evaluate`
#     REQUIRE               demands, one a line. Those on changes are left out of a first release; where none is left, there is no verdict.
#     SIGN_KEY              the secret key (Ed25519, PEM) that signs the bundle: a file, or its text; without it, the bundle is not signed
#     HANDPICK              the command; default: handpick
#
# In OUT are then: bundle.hpk, update.delta (against AGAINST), manifest.json, report.html, report.md, junit.xml, evaluation.json, and of auto
# conversion.json. The bundle's manifest has the rows' hash, metrics, demands and verdict, where anything was demanded; ROWS are files.
# When a demand fails or is undecided, or on any error, neither a bundle nor a delta is there. Exit status: that of `handpick evaluate`: 0
# ships, 3 a demand fails, 4 one is undecided, 1 an error.
set -euo pipefail

handpick=${HANDPICK:-handpick}
: "${SPEC:?SPEC is not set: the model spec}" "${WEIGHTS:?WEIGHTS is not set: the trained weights}"
: "${ROWS:?ROWS is not set: requests with labels}" "${OUT:?OUT is not set: a folder for what is made}"
# Said before any work.
case ${SIGN_KEY:-} in
  '' | -----BEGIN*) ;;
  *) [ -f "$SIGN_KEY" ] || { printf 'release: SIGN_KEY is %s: no such file\n' "$SIGN_KEY" >&2; exit 1; } ;;
esac
mkdir -p "$OUT"
rm -f "$OUT"/{bundle.hpk,update.delta,manifest.json,report.html,report.md,junit.xml,evaluation.json,conversion.json}
work=$(mktemp -d "$OUT/.release.XXXXXX")
trap 'rm -rf "$work"' EXIT

convert=(--spec "$SPEC" --weights "$WEIGHTS" --precision "${PRECISION:-f32}" --out "$work/bundle.hpk")
[ -z "${CATALOG:-}" ] || convert+=(--catalog "$CATALOG")
[ -z "${GOLDEN:-}" ] || convert+=(--golden "$GOLDEN")
evaluation=${EVALUATION:-}
conversion=
if [ "${PRECISION:-}" = auto ]; then
  : "${BUDGET:?BUDGET is not set: PRECISION is auto}"
  evaluation=${EVALUATION:-$ROWS}
  conversion=$OUT/conversion.json
  convert+=(--budget "$BUDGET" --report "$conversion")
fi
[ -z "$evaluation" ] || convert+=(--evaluation "$evaluation")
"$handpick" convert --quiet "${convert[@]}"
bundle=$work/bundle.hpk

evaluate=(--bundle "$bundle" --rows "$ROWS" --json --report "$OUT/report.html" --junit "$OUT/junit.xml" --markdown "$OUT/report.md")
[ -z "$conversion" ] || evaluate+=(--conversion "$conversion")
[ -z "${GROUP_BY:-}" ] || evaluate+=(--group-by "$GROUP_BY")
[ -z "${SLICE:-}" ] || evaluate+=(--slice "$SLICE")
against=${AGAINST:-}
demands=0
[ -f "$against" ] || against=
[ -z "$against" ] || evaluate+=(--against "$against")
while IFS= read -r demand; do
  [ -n "${demand//[[:space:]]/}" ] || continue
  if [ -z "$against" ]; then
    case $demand in
      *.change* | *.relative* | *overlap@* | *kendall_tau* | *logit_error*)
        printf 'release: first release: not demanded: %s\n' "$demand" >&2
        continue
        ;;
    esac
  fi
  demands=$((demands + 1))
  evaluate+=(--require "$demand")
done <<<"${REQUIRE:-}"
# What is kept says itself why it was let out.
if [ "$demands" -gt 0 ]; then
  bundle=$work/decided.hpk
  evaluate+=(--write-verdict "$bundle")
fi
status=0
"$handpick" evaluate --quiet "${evaluate[@]}" >"$OUT/evaluation.json" || status=$?
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || [ ! -f "$OUT/report.md" ] || cat "$OUT/report.md" >>"$GITHUB_STEP_SUMMARY"
if [ "$status" != 0 ]; then
  printf 'release: no bundle: handpick evaluate ended with status %s; see report.html\n' "$status" >&2
  exit "$status"
fi

# Last: a signature is of all bytes. The text of a key goes through a pipe, not onto the disk.
if [ -n "${SIGN_KEY:-}" ]; then
  case $SIGN_KEY in
    -----BEGIN*) "$handpick" sign --bundle "$bundle" --key <(printf '%s\n' "$SIGN_KEY") --out "$work/signed.hpk" >&2 ;;
    *) "$handpick" sign --bundle "$bundle" --key "$SIGN_KEY" --out "$work/signed.hpk" >&2 ;;
  esac
  bundle=$work/signed.hpk
fi
[ "$bundle" = "$work/bundle.hpk" ] || mv "$bundle" "$work/bundle.hpk"
"$handpick" inspect --json "$work/bundle.hpk" >"$work/manifest.json"
[ -z "$against" ] || "$handpick" delta "$against" "$work/bundle.hpk" --out "$work/update.delta" >/dev/null
# The bundle comes last: where it is, all of it is.
for name in manifest.json update.delta bundle.hpk; do
  [ ! -f "$work/$name" ] || mv "$work/$name" "$OUT/$name"
done
printf 'release: %s\n' "$OUT/bundle.hpk" >&2
