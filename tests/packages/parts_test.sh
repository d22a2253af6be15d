#!/usr/bin/env bash
# A library without recall is smaller, ranks the same, and says what it lacks. The table of sizes in sdk/README.md is that of today.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/packages/films.sh
make_films "$work/films.hpk"
bazel build --color=no --curses=no --noshow_progress //sdk:handpick_shared
cp bazel-bin/sdk/shared/libhandpick.so "$work/all.so"
bazel build --color=no --curses=no --noshow_progress --define handpick_recall=off //sdk:handpick_shared
cp bazel-bin/sdk/shared/libhandpick.so "$work/ranking.so"
strip --strip-unneeded "$work/all.so" "$work/ranking.so"
size=$(stat -c %s "$work/all.so")
told=$(sed -n 's/^| \*\*stripped library\*\* | \*\*\(.*\)\*\* |$/\1/p' sdk/README.md | tr -d ,)
# Within 2 %: compilers differ a little.
if [ $((size * 100)) -gt $((told * 102)) ] || [ $((size * 100)) -lt $((told * 98)) ]; then
  echo "the library has $size bytes, and sdk/README.md says $told"
  exit 1
fi
[ "$(stat -c %s "$work/ranking.so")" -lt "$(stat -c %s "$work/all.so")" ]

cat >"$work/use.py" <<'PY'
import json
import sys

import handpick

with open("examples/din/model/golden.jsonl", encoding="utf-8") as file:
    request = json.loads(file.readline())
with handpick.Model(sys.argv[1]) as model, model.session() as session:
    session.set_context(request["context"])
    session.set_history(request["history"])
    for best in session.rank(request["candidates"], k=10).tolist():
        print(*best)
    if model.info["recall_items"] == 0:
        for call in (lambda: session.recommend(10), lambda: session.recall(10), lambda: model.overlay(3)):
            try:
                call()
                sys.exit("recall was not refused")
            except handpick.Error as error:
                assert error.status == 0x40 and "without recall" in str(error), error
        print("refused", file=sys.stderr)
PY
export PYTHONPATH=converter/python
HANDPICK_LIBRARY=$work/all.so /usr/bin/python3 -B "$work/use.py" "$work/films.hpk" >"$work/expected" 2>"$work/said"
[ ! -s "$work/said" ]
HANDPICK_LIBRARY=$work/ranking.so /usr/bin/python3 -B "$work/use.py" "$work/films.hpk" >"$work/ranked" 2>"$work/said"
diff "$work/expected" "$work/ranked"
[ "$(wc -l <"$work/ranked")" = 10 ]
grep -q refused "$work/said"
