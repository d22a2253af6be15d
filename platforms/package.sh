#!/usr/bin/env bash
# Makes one of the things that apps install:
#
#     platforms/package.sh TARGET [FOLDER]
#
# FOLDER is dist/TARGET unless named. It then holds the packages and manifest.json: every file with its size in bytes and its
# SHA-256. The same checkout gives the same bytes each time. Targets are the files platforms/package/TARGET.sh.
#
# Exit status: 0 when all of it was made; 3 when something that this target needs is not on this machine (it is named); 2 for
# a wrong call; 1 for anything else. FOLDER changes only when all went well.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

targets() { (cd platforms/package && ls ./*.sh) | sed -n 's|^\./\(.*\)\.sh$|\1|p' | grep -v '^common' | paste -sd' '; }

if [ $# -lt 1 ] || [ $# -gt 2 ] || [ "${1#common}" != "$1" ] || [ ! -f "platforms/package/$1.sh" ]; then
  printf "platforms/package.sh: no target '%s'; there are: %s\n" "${1-}" "$(targets)" >&2
  exit 2
fi
target=$1
folder=${2:-dist/$target}

# shellcheck source=package/common.sh
. platforms/package/common.sh
# shellcheck disable=SC1090
. "platforms/package/$target.sh"

write_manifest "$out" "$target"
rm -rf "$folder.old"
mkdir -p "$(dirname "$folder")"
[ ! -e "$folder" ] || mv "$folder" "$folder.old"
mv "$out" "$folder"
rm -rf "$folder.old"
printf 'package: %s is in %s\n' "$target" "$folder"
