#!/usr/bin/env bash
# Makes an archive of one object, in which SYMBOLS alone can be seen:
#
#     self_contained_archive.sh OUTPUT SYMBOLS CC NM OBJCOPY STRIP AR ROOT... -- LIBRARY...
#
# ROOT and LIBRARY are archives. What the functions SYMBOLS (a pattern) of the ROOTs call is kept, also of the C++ library, and
# the rest is left out.
set -euo pipefail

output=$1
symbols=$2
cc=$3
nm=$4
objcopy=$5
strip=$6
ar=$7
shift 7
roots=()
while [ "$1" != -- ]; do
  roots+=("$1")
  shift
done
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
keep=()
while read -r name; do
  # shellcheck disable=SC2053
  [[ $name == $symbols ]] && keep+=("-Wl,-u,$name")
done < <("$nm" --defined-only --extern-only --format=posix "${roots[@]}" | sed -n 's/^\([^ ]*\) T .*/\1/p' | sort -u)
[ ${#keep[@]} -gt 0 ] || { printf "self_contained_archive: nothing is named '%s' in %s\n" "$symbols" "${roots[*]}" >&2; exit 1; }

# Groups, by which a linker keeps one of several copies of a template or an inline function, become plain sections: a copy in
# the app is another compiler's, with other options.
"$cc" -r -nostdlib -fuse-ld=bfd -o "$work/whole.o" -Wl,--gc-sections -Wl,--force-group-allocation "${keep[@]}" \
  -Wl,--start-group "${roots[@]}" "$@" -l:libstdc++.a -Wl,--end-group
python3 "$(dirname "$0")/plain_symbols.py" "$work/whole.o"
"$objcopy" --wildcard --keep-global-symbol="$symbols" "$work/whole.o" "$work/$(basename "${output%.a}").o"
"$strip" --strip-unneeded "$work/$(basename "${output%.a}").o"
rm -f "$output"
"$ar" rcsD "$output" "$work/$(basename "${output%.a}").o"
