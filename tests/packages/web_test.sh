#!/usr/bin/env bash
# The npm package and the example's page: made twice with equal bytes, installed in an empty folder, used in Node and in
# Chromium, and compared with the C API on this machine.
#
#     tests/packages/web_test.sh [PICTURES]     a folder for pictures of the page
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
pictures=
[ $# = 0 ] || pictures=$(mkdir -p "$1" && realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! platforms/setup.sh web web-test; then
  echo 'not installed: emscripten, chromium and npm (platforms/setup.sh web web-test)'
  exit 77
fi

platforms/package.sh web "$work/one"
platforms/package.sh web "$work/two"
diff -r "$work/one" "$work/two"
grep -q '"bytes": [1-9]' "$work/one/manifest.json"

bazel build --color=no --curses=no --noshow_progress //converter/cli:handpick //tests/golden:bundles
handpick=$root/bazel-bin/converter/cli/handpick
model=examples/din/model
"$handpick" convert --quiet --spec $model/model.spec.json --weights $model/model.safetensors --catalog $model/catalog.jsonl \
  --golden $model/golden.jsonl --precision f32 --out "$work/ranker.hpk"
"$handpick" recall-index --quiet --vectors examples/item2vec/model/item2vec.npz --bundle "$work/ranker.hpk" --k 200 --out "$work/din.hpk"
cp $model/catalog.jsonl "$work/"
cp $model/ranking.jsonl "$work/requests.jsonl"

# In an empty folder, as an app does.
mkdir "$work/app"
cp tests/packages/web/*.mjs "$work/app/"
(
  cd "$work/app"
  export npm_config_cache=$work/npm npm_config_update_notifier=false
  npm init -y >/dev/null
  npm install --offline --no-audit --no-fund "$work"/one/handpick-*.tgz
  test -f node_modules/handpick/LICENSE -a -f node_modules/handpick/README.md
  test "$(node use.mjs "$work/din.hpk" | wc -l)" = 10
  node node_test.mjs "$handpick" "$work" "$root/tests/goldens" "$root/bazel-bin/tests/golden/bundles"
)

# The page, with titles, of a float32 bundle (browser_test.mjs says why).
printf 'movieId,title,genres\n296,"Tale, The (1994)",Crime\n50,A Plain One (1995),Crime\n' >"$work/movies.csv"
examples/web/build.sh --package "$work/one" --movies "$work/movies.csv" --precision f32 --out "$work/page"
grep -q '"The Tale",1994' "$work/page/films.json"
grep -q '"A Plain One",1995' "$work/page/films.json"
node "$work/app/browser_test.mjs" "$handpick" "$work/page" "$work/catalog.jsonl" ${pictures:+"$pictures"}
