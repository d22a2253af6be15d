#!/usr/bin/env bash
# The jar: made twice with equal bytes, used with nothing but itself and a JVM, and compared with the handpick command bit for
# bit; the programs and commands of sdk/java/README.md; the Java of examples/android.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=films.sh
. tests/packages/films.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! platforms/setup.sh java; then
  echo 'not installed: a JDK and Kotlin (platforms/setup.sh java)'
  exit 77
fi

echo '== the package'
platforms/package.sh jvm-linux-x86_64 "$work/one"
platforms/package.sh jvm-linux-x86_64 "$work/two"
diff -r "$work/one" "$work/two"
grep -q '"bytes": [1-9]' "$work/one/manifest.json"
jar=$(ls "$work"/one/handpick-*[0-9].jar)
python3 -m zipfile -e "$jar" "$work/jar"
library=$work/jar/dev/handpick/native/linux-x86_64/libhandpick_jni.so
python3 tests/packages/check_jni.py --soname libhandpick_jni.so --needs libc.so.6,libm.so.6,libpthread.so.0,ld-linux-x86-64.so.2 \
  "$library" sdk/include/handpick/*.h
! find "$work/jar" -path '*jetbrains*' | grep . || { echo 'annotations are in the jar'; exit 1; }
# Class files of Java 8.
[ "$(od -An -tu1 -j7 -N1 "$work/jar/dev/handpick/Model.class" | tr -d ' ')" = 52 ]

echo '== what the command says'
make_films "$work/films.hpk"
handpick=bazel-bin/converter/cli/handpick
sed -n 1p examples/din/model/ranking.jsonl >"$work/request.jsonl"
$handpick rank --quiet --bundle "$work/films.hpk" --requests "$work/request.jsonl" --top-k 10 >"$work/ranked.jsonl"
$handpick recommend --quiet --bundle "$work/films.hpk" --requests "$work/request.jsonl" --user recent --k 200 >"$work/recommended.jsonl"
# An index whose items are named by text.
awk 'BEGIN { print 100, 4; for (i = 0; i < 100; ++i) { printf "item-%d", i; for (j = 0; j < 4; ++j) printf " %.4f", ((7 * i + 13 * j) % 29) / 29 - 0.4; print "" } }' \
  >"$work/items.txt"
$handpick recall-index --quiet --vectors "$work/items.txt" --out "$work/strings.hpk" >/dev/null

# The same bundle, signed, and the way there.
openssl genpkey -algorithm ed25519 -out "$work/secret.pem"
$handpick sign --bundle "$work/films.hpk" --key "$work/secret.pem" --out "$work/signed.hpk" | sed -n 's/.*public key: //p' >"$work/key.txt"
$handpick delta "$work/films.hpk" "$work/signed.hpk" --out "$work/signed.delta" >/dev/null

echo '== the tests, with JNI checked'
mkdir "$work/tests"
javac -Xlint:all,-options,-try,-classfile -Werror -encoding UTF-8 -cp "$jar" -d "$work/tests" tests/java/HandpickTest.java tests/java/Json.java
run_tests() {
  java "$@" --add-opens java.base/java.io=ALL-UNNAMED -cp "$jar:$work/tests" HandpickTest "$work/films.hpk" "$work/request.jsonl" \
    "$work/ranked.jsonl" "$work/recommended.jsonl" "$work/strings.hpk" "$work/signed.hpk" "$work/key.txt" "$work/signed.delta" \
    >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
  tail -n 1 "$work/log"
  if grep -n 'WARNING\|FATAL' "$work/log"; then return 1; fi
}
run_tests
run_tests -Xcheck:jni

echo '== the README'
python3 - <<'CHECK'
import re
lines = lambda text: [line.strip() for line in text.splitlines() if line.strip()]
with open("sdk/java/README.md", encoding="utf-8") as file:
    blocks = re.findall(r"```(\w+)\n(.*?)```", file.read(), re.DOTALL)
for language, path in (("java", "examples/java/TenFilms.java"), ("kotlin", "examples/java/TenFilms.kt")):
    shown = lines(next(text for name, text in blocks if name == language))
    with open(path, encoding="utf-8") as file:
        rest = iter(lines(file.read()))
    assert len(shown) > 9
    for line in shown:
        assert line in rest, (path, line)
CHECK
# Its five commands: the first one has been done.
sed -n '/five commands/,/^## /s/^    //p' sdk/java/README.md >"$work/commands"
[ "$(wc -l <"$work/commands")" = 5 ] && [[ $(sed -n 1p "$work/commands") == 'git clone'* ]]
sed -n 2,5p "$work/commands" | while read -r command; do
  echo "\$ $command"
  bash -c "set -e; $command" </dev/null >"$work/said" 2>"$work/errors" || { cat "$work/said" "$work/errors"; exit 1; }
  cp "$work/said" "$work/films.txt" # Of the last one.
done
printf '%s\n' '{"context":{},"history":{"movie_id":[1198,1240,541,260],"genre":["Adventure","Sci-Fi","Sci-Fi","Sci-Fi"]},"candidates":{"movie_id":[1]}}' |
  $handpick recommend --quiet --bundle "$work/films.hpk" --requests - --user recent --k 200 >"$work/expected.jsonl"
same_films() { # what a program printed
  python3 - "$1" "$work/expected.jsonl" <<'SAME'
import json, struct, sys
bits = lambda number: struct.pack("<f", float(number))
said = [line.split() for line in open(sys.argv[1])]
expected = json.load(open(sys.argv[2]))["recommended"]
assert len(said) == len(expected) == 10, said
for (film, score), theirs in zip(said, expected):
    assert int(film) == theirs["id"] and bits(score) == bits(theirs["score"]), (film, score, theirs)
SAME
}
same_films "$work/films.txt"

echo '== Kotlin'
kotlinc -cp "$jar" examples/java/TenFilms.kt -d "$work/kotlin.jar" 2>/dev/null
java -cp "$jar:$work/kotlin.jar:/usr/share/java/kotlin-stdlib.jar" TenFilmsKt "$work/films.hpk" >"$work/films.kotlin"
same_films "$work/films.kotlin"
# What may be null is not taken for something; lambdas are predicates.
printf '%s\n' 'import dev.handpick.*' 'fun f(model: Model) = model.recallInfo.dimension' >"$work/Bad.kt"
printf '%s\n' 'import dev.handpick.*' 'fun f(model: Model): Int? = model.recallInfo?.dimension' \
  'fun g(options: RecallOptions) { options.setAccepts { item -> item.id != 3L } }' 'fun h(model: Model): Int = model.info.name.length' >"$work/Good.kt"
kotlinc -cp "$jar" "$work/Good.kt" -d "$work/good.jar" 2>/dev/null
if kotlinc -cp "$jar" "$work/Bad.kt" -d "$work/bad.jar" 2>"$work/bad"; then echo 'Kotlin does not see @Nullable'; exit 1; fi
grep -q 'nullable receiver' "$work/bad"

echo '== an empty root: a small JVM, the jar, one program'
root=$work/root
mkdir -p "$root/tmp" "$root/app"
jdk=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
"$jdk/bin/jlink" --add-modules java.base --strip-debug --no-header-files --no-man-pages --output "$root/java"
ldd "$root"/java/bin/java "$root"/java/lib/*.so "$root"/java/lib/server/*.so "$library" |
  grep -o '/[^ ]*' | grep -v ':$' | grep -v "^$root" | sort -u | while read -r file; do
    mkdir -p "$root$(dirname "$file")"
    cp -L "$file" "$root$file"
  done
javac -cp "$jar" -d "$root/app" examples/java/TenFilms.java
cp "$jar" "$root/handpick.jar"
cp "$work/films.hpk" "$root/films.hpk"
# Without /proc it does not find its own libraries.
LD_LIBRARY_PATH=/java/lib:/java/lib/server chroot "$root" /java/bin/java -cp /handpick.jar:/app TenFilms /films.hpk >"$work/films.root"
same_films "$work/films.root"
[ -z "$(ls "$root/tmp" | grep -v hsperfdata || true)" ] || { echo 'a temporary file is left'; exit 1; }

echo '== an app that was shrunk by the rules of the AAR'
python3 tests/packages/java8_classes.py "$jdk/lib/ct.sym" "$work/java8.jar"
mkdir "$work/ten"
javac --release 8 -Xlint:-options -cp "$jar" -d "$work/ten" examples/java/TenFilms.java 2>/dev/null
proguard -injars "$work/ten" -injars "$jar(!META-INF/**)" -outjars "$work/small.jar" -libraryjars "$work/java8.jar" -repackageclasses x \
  -allowaccessmodification -keep 'class TenFilms { public static void main(java.lang.String[]); }' \
  -include sdk/java/consumer_rules.pro >"$work/shrunk" 2>&1 || { tail -n 20 "$work/shrunk"; exit 1; }
java -Xcheck:jni -cp "$work/small.jar" TenFilms "$work/films.hpk" >"$work/films.small"
same_films "$work/films.small"
python3 -m zipfile -l "$work/small.jar" >"$work/small.files"
grep -q ' *x/' "$work/small.files"
! grep 'dev/handpick/Columns' "$work/small.files" || { echo 'nothing was shrunk'; exit 1; }

echo '== the app of examples/android'
mkdir "$work/android"
javac --release 8 -Xlint:all,-options,-classfile -Werror -cp "$jar" -d "$work/android" \
  $(find examples/android/app/src tests/java/android_stand_ins -name '*.java') tests/java/FilmRankerTest.java
java -Xcheck:jni -cp "$jar:$work/android" FilmRankerTest "$work/films.hpk" examples/din/model/catalog.jsonl
grep -q "handpick-android:$(basename "$jar" .jar | sed 's/handpick-//')\"" examples/android/app/build.gradle
