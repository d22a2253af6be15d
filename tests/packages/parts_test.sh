#!/usr/bin/env bash
# A library without recall, int8 layers or signatures is smaller, ranks the same, and says what it lacks. The tables of sizes in
# sdk/README.md are those of today.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/packages/films.sh
make_films "$work/films.hpk"
library() { # file strip option...
  bazel build --color=no --curses=no --noshow_progress "${@:3}" //sdk:handpick_shared
  cp bazel-bin/sdk/shared/libhandpick.so "$1"
  chmod u+w "$1"
  "$2" --strip-unneeded "$1"
}

# Within 2 %: compilers differ a little.
is_told() { # file row's-name
  local size told
  size=$(stat -c %s "$1")
  told=$(sed -n "s/^| $2 | \(.*\) |\$/\1/p" sdk/README.md | tr -d ',*')
  if [ -z "$told" ] || [ $((size * 100)) -gt $((told * 102)) ] || [ $((size * 100)) -lt $((told * 98)) ]; then
    echo "$2: the library has $size bytes, and sdk/README.md says '$told'"
    return 1
  fi
}

library "$work/all.so" strip
library "$work/ranking.so" strip --define handpick_recall=off
library "$work/floats.so" strip --define handpick_int8=off
library "$work/signed.so" strip --define handpick_signature=on
is_told "$work/all.so" '\*\*stripped library\*\*'
is_told "$work/signed.so" 'with signatures'
# What x86-64 is held to.
[ "$(stat -c %s "$work/all.so")" -le $((900 * 1024)) ]
[ "$(stat -c %s "$work/ranking.so")" -lt "$(stat -c %s "$work/all.so")" ]
[ "$(stat -c %s "$work/floats.so")" -lt "$(stat -c %s "$work/all.so")" ]

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

# Int8 layers are refused by name; int8 vectors of recall and all else are not.
HANDPICK_LIBRARY=$work/floats.so /usr/bin/python3 -B "$work/use.py" "$work/films.hpk" >"$work/ranked"
diff "$work/expected" "$work/ranked"
bazel-bin/converter/cli/handpick convert --spec examples/din/model/model.spec.json \
  --weights examples/din/model/model.safetensors --precision int8 --out "$work/int8.hpk" --quiet
cat >"$work/open.py" <<'PY'
import sys

import handpick

try:
    handpick.Model(sys.argv[1]).close()
    print("opened")
except handpick.Error as error:
    print(hex(error.status), error)
PY
HANDPICK_LIBRARY=$work/all.so /usr/bin/python3 -B "$work/open.py" "$work/int8.hpk" >"$work/said"
grep -q '^opened$' "$work/said"
HANDPICK_LIBRARY=$work/floats.so /usr/bin/python3 -B "$work/open.py" "$work/int8.hpk" >"$work/said"
grep -q "^0x40 .*dense layer '[^']\+' is int8.*handpick_int8=off" "$work/said" || { cat "$work/said"; exit 1; }

# A key is never passed over.
cat >"$work/key.py" <<'PY'
import sys

import handpick

try:
    handpick.Model(sys.argv[1], public_keys=[sys.argv[2]]).close()
    print("opened")
except handpick.Error as error:
    print(hex(error.status), error)
PY
openssl genpkey -algorithm ed25519 -out "$work/secret.pem"
key=$(bazel-bin/converter/cli/handpick sign --bundle "$work/films.hpk" --key "$work/secret.pem" --out "$work/films.signed.hpk" |
  sed -n 's/.*public key: //p')
opens() { # library bundle key
  HANDPICK_LIBRARY=$work/$1.so /usr/bin/python3 -B "$work/key.py" "$work/$2.hpk" "$3" >"$work/said"
}
opens signed films.signed "$key"
grep -q '^opened$' "$work/said"
opens signed films "$key"
grep -q '^0x45 .*not signed' "$work/said"
opens signed films.signed "$(printf 'ab%.0s' {1..32})"
grep -q "^0x3a .*none of the app's" "$work/said"
opens all films.signed "$key"
grep -q '^0x40 .*built without signatures' "$work/said"

# The same for Android, by clang 19, whatever NDK there is.
unset ANDROID_NDK_HOME
if ! platforms/setup.sh android; then
  echo 'skipped: not installed: clang and lld (platforms/setup.sh android); sizes for linux were as told'
  exit 77
fi
android() { # row's-name option...
  library "$work/android.so" llvm-strip-19 --config=android-arm64 "${@:2}"
  is_told "$work/android.so" "$1"
}
highway=--define=handpick_engine=highway
recall_off=--define=handpick_recall=off
android everything
android 'without signatures' --define=handpick_signature=off
android 'without recall' $recall_off
android 'Highway alone' $highway
android 'ranking alone, by Highway' $recall_off $highway
# What phones are held to at least.
[ "$(stat -c %s "$work/android.so")" -le $((330 * 1024)) ]
android 'ranking alone, by Highway, without int8 layers' $recall_off $highway --define=handpick_int8=off
android 'without int8 layers' --define=handpick_int8=off
