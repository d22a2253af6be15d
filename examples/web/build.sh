#!/usr/bin/env bash
# Makes the page: a folder that any web server can serve.
#
#     examples/web/build.sh [--movies movies.csv] [--package FOLDER] [--precision P] [--out FOLDER]
#
#     --movies     of MovieLens' ml-latest-small, for the titles; without it a film is called "Film 296"
#     --package    what `platforms/package.sh web` made; default: it is made
#     --precision  int8 (default) or f32
#     --out        default: dist/web-example
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
movies=
package=
precision=int8
out=$root/dist/web-example
while [ $# -gt 0 ]; do
  case $1:${2-} in
    --movies:?*) movies=$(realpath "$2") ;;
    --package:?*) package=$(realpath "$2") ;;
    --precision:f32 | --precision:int8) precision=$2 ;;
    --out:?*) out=$(realpath -m "$2") ;;
    *)
      printf 'usage: %s [--movies movies.csv] [--package FOLDER] [--precision f32|int8] [--out FOLDER]\n' "$0" >&2
      exit 2
      ;;
  esac
  shift 2
done
cd "$root"

if [ -z "$package" ]; then
  platforms/setup.sh web
  platforms/package.sh web
  package=$root/dist/web
fi
bazel build --color=no --curses=no --noshow_progress //converter/cli:handpick
handpick=bazel-bin/converter/cli/handpick

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
model=examples/din/model
vectors=examples/item2vec/model/item2vec.npz
mkdir "$work/site"
"$handpick" convert --quiet --spec "$model/model.spec.json" --weights "$model/model.safetensors" \
  --catalog "$model/catalog.jsonl" --golden "$model/golden.jsonl" --precision "$precision" --out "$work/din.hpk"
"$handpick" recall-index --quiet --vectors "$vectors" --bundle "$work/din.hpk" --k 200 --out "$work/site/movielens.hpk"
/usr/bin/python3 "$here/films.py" --catalog "$model/catalog.jsonl" --vectors "$vectors" ${movies:+--movies "$movies"} \
  --out "$work/site/films.json"
cp "$here"/{index.html,style.css,app.js,context.js,icon.svg,manifest.webmanifest} "$package"/handpick.{js,wasm} "$work/site/"
version=$(cd "$work/site" && sha256sum -- * | sha256sum | cut -c1-16)
sed "s/@VERSION@/$version/" "$here/sw.js" >"$work/site/sw.js"

rm -rf "$out"
mkdir -p "$(dirname "$out")"
mv "$work/site" "$out"
printf 'The page is in %s. To see it:\n    python3 -m http.server --directory %s 8000    # http://localhost:8000\n' "$out" "$out"
