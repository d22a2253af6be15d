#!/usr/bin/env bash
# The table of sizes in platforms/README.md, of the packages in dist/ (platforms/package.sh linux-...):
#
#     tests/packages/linux_sizes.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for folder in dist/linux-*; do
  target=${folder#dist/}
  mkdir "$work/$target"
  tar -C "$work/$target" -xf "$folder"/handpick-*.tar.zst
  row="| \`$target\` |"
  for file in "$work/$target"/*/lib/libhandpick.so "$work/$target"/*/lib/libhandpick.a "$folder"/*.deb "$folder"/*.tar.zst; do
    row+=" $(stat -Lc %s "$file" | sed ':a; s/\B[0-9]\{3\}\>/,&/; ta') |"
  done
  printf '%s\n' "$row"
done
