#!/usr/bin/env bash
# The wheel comes out the same twice. That it installs and works: //tests/converter/python:wheel_test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
platforms/package.sh wheel "$work/one"
platforms/package.sh wheel "$work/two"
diff -r "$work/one" "$work/two"
grep -q '"bytes": [1-9]' "$work/one/manifest.json"
