#!/usr/bin/env bash
# The package for Windows: comes out the same twice, exports hp_* alone, needs Windows' own libraries alone, and a program linked
# with it, by the DLL and by the static library, recommends what the C API does here. Run by Wine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
platforms/setup.sh windows-test

work=$(mktemp -d)
trap '[ ! -d "$work/wine" ] || WINEPREFIX=$work/wine /usr/lib/wine/wineserver -k || true; rm -rf "$work"' EXIT
platforms/package.sh windows-x86_64 "$work/one"
platforms/package.sh windows-x86_64 "$work/two"
diff -r "$work/one" "$work/two"
(cd "$work" && python3 -m zipfile -e one/handpick-*-windows-x86_64.zip unpacked)
package=$(echo "$work"/unpacked/handpick-*)

tool=/usr/bin/x86_64-w64-mingw32
"$tool-objdump" -p "$package/bin/handpick.dll" >"$work/dump"
sed -n '/\[Ordinal\/Name Pointer\] Table/,/^$/s/.*\] \(.*\)/\1/p' "$work/dump" | grep -v Table | sort >"$work/exports"
# Every function of the headers, and nothing else.
cat sdk/include/handpick/*.h | tr '\n' ' ' | grep -oE 'HP_API [^;(]*\(' | grep -oE 'hp_[a-z_]+ *\($' | tr -d ' (' | sort >"$work/declared"
diff "$work/declared" "$work/exports"
sed -n 's/.*DLL Name: //p' "$work/dump" | sort | grep -vixE 'kernel32.dll|msvcrt.dll' && { echo 'needs other libraries'; exit 1; }
# The addresses are random, and data is not run.
for flag in HIGH_ENTROPY_VA DYNAMIC_BASE NX_COMPAT; do grep -q "$flag" "$work/dump"; done
[ "$("$tool-nm" --defined-only --extern-only "$package/lib/libhandpick.a" | sed -n 's/.* [A-Z] //p' | grep -cv '^hp_')" = 0 ]

. tests/packages/films.sh
# A path that is no ASCII.
films="$work/fílmes ☃.hpk"
make_films "$films"
options=(-std=c99 -Wall -Wextra -Werror -I"$package/include" -I.)
"$tool-gcc-win32" "${options[@]}" -DHANDPICK_SHARED tests/packages/{print_top_ten,top_ten}.c -L"$package/lib" -lhandpick.dll -lshell32 \
  -o "$package/bin/shared.exe"
"$tool-gcc-win32" "${options[@]}" tests/packages/{print_top_ten,top_ten}.c "$package/lib/libhandpick.a" -static -lstdc++ -lshell32 \
  -o "$package/bin/static.exe"
bazel build --color=no --curses=no --noshow_progress //sdk:handpick_shared
cp bazel-bin/sdk/shared/libhandpick.so "$work/libhandpick.so.0"
gcc -std=c11 -Isdk/include -I. tests/packages/{print_top_ten,top_ten}.c -o "$work/here" "$work/libhandpick.so.0" "-Wl,-rpath,$work"
LD_LIBRARY_PATH=bazel-bin/sdk/shared "$work/here" "$films" >"$work/expected"
[ "$(wc -l <"$work/expected")" = 10 ]

export WINEPREFIX=$work/wine WINEDEBUG=-all LC_ALL=C.UTF-8
for program in shared static; do
  timeout 300 /usr/lib/wine/wine64 "$package/bin/$program.exe" "$films" | tr -d '\r' >"$work/$program"
  # The same films; the last digit of a score may be another, since another C library computes its logarithms.
  diff <(cut -d' ' -f1 "$work/expected") <(cut -d' ' -f1 "$work/$program")
  paste -d' ' "$work/expected" "$work/$program" | awk '{ d = $2 - $4; if (d > 1e-5 || d < -1e-5) { print; bad = 1 } } END { exit bad }'
done
