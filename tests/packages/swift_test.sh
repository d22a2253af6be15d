#!/usr/bin/env bash
# The Swift sources, compiled for this machine with Debian's Swift and linked with the C library, recommend what the C API does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ "$(id -u)" = 0 ] || { echo 'not root: Swift of the next Debian runs in a root of its own'; exit 77; }
platforms/setup.sh swift || { echo 'no Swift compiler: see above'; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/packages/films.sh
make_films "$work/films.hpk"
bazel build --color=no --curses=no --noshow_progress --define=handpick_signature=on //sdk:handpick_shared
cp bazel-bin/sdk/shared/libhandpick.so "$work/libhandpick.so.0"
ln -s libhandpick.so.0 "$work/libhandpick.so"
gcc -std=c11 -Wall -Isdk/include -I. tests/packages/{print_top_ten,top_ten}.c -o "$work/top_ten" -L"$work" -lhandpick "-Wl,-rpath,$work"
"$work/top_ten" "$work/films.hpk" >"$work/expected"

# What a framework's module map says.
mkdir "$work/HandpickC"
cp -R sdk/include/handpick "$work/HandpickC/"
printf '%s\n' 'module HandpickC {' '  header "handpick/handpick.h"' '  header "handpick/diagnostics.h"' '  header "handpick/update.h"' '  export *' '}' \
  >"$work/HandpickC/module.modulemap"
cp -R sdk/swift/Sources/Handpick tests/packages/swift/main.swift "$work/"
head -n 1 examples/din/model/ranking.jsonl >"$work/request.jsonl"

openssl genpkey -algorithm ed25519 -out "$work/secret.pem"
handpick=bazel-bin/converter/cli/handpick
$handpick sign --bundle "$work/films.hpk" --key "$work/secret.pem" --out "$work/signed.hpk" | sed -n 's/.*public key: //p' >"$work/key.txt"
$handpick delta "$work/films.hpk" "$work/signed.hpk" --out "$work/signed.delta" >/dev/null

in_swift() { platforms/swift_root.sh run "$work" "$@"; }
cd "$work"
files=(Handpick/*.swift)
cd - >/dev/null
for language in 5 6; do
  in_swift swiftc -swift-version $language -warnings-as-errors -O -wmo -parse-as-library -module-name Handpick \
    -emit-module -emit-module-path Handpick.swiftmodule -c "${files[@]}" -I HandpickC -Xcc -IHandpickC -o Handpick.o
done
in_swift swiftc -swift-version 5 -O main.swift Handpick.o -I . -I HandpickC -Xcc -IHandpickC -L . -lhandpick \
  -Xlinker -rpath -Xlinker /work -o main
in_swift ./main films.hpk request.jsonl signed.hpk key.txt signed.delta >"$work/said"
diff "$work/expected" "$work/said"
[ "$(wc -l <"$work/said")" = 10 ]

# The ten films of the README.
cp examples/ten_films/TenFilms.swift "$work/"
in_swift swiftc -swift-version 6 -parse-as-library -O TenFilms.swift Handpick.o -I . -I HandpickC -Xcc -IHandpickC \
  -L . -lhandpick -Xlinker -rpath -Xlinker /work -o ten_films
in_swift ./ten_films films.hpk >"$work/said"
printf '%s\n' '{"context":{},"history":{"movie_id":[1198,1240,541,260],"genre":["Adventure","Sci-Fi","Sci-Fi","Sci-Fi"]}}' |
  bazel-bin/converter/cli/handpick recommend --quiet --bundle "$work/films.hpk" --requests - --k 200 --user recent |
  python3 -c 'import json, sys; print(*[film["id"] for film in json.load(sys.stdin)["recommended"]], sep="\n")' >"$work/expected"
cut -d " " -f 1 "$work/said" | diff "$work/expected" -

# What examples/ios shows, and the syntax of its views.
cp examples/ios/Films.swiftpm/Sources/*.swift tests/packages/swift/film_store.swift examples/din/model/catalog.jsonl "$work/"
in_swift swiftc -frontend -parse FilmsView.swift FilmsApp.swift
in_swift swiftc -swift-version 6 -parse-as-library -O FilmStore.swift film_store.swift Handpick.o -I . -I HandpickC -Xcc -IHandpickC \
  -L . -lhandpick -Xlinker -rpath -Xlinker /work -o store
in_swift ./store films.hpk catalog.jsonl
