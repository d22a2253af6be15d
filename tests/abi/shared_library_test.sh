#!/usr/bin/env bash
set -euo pipefail
exec python3 tests/abi/shared_library_test.py "$@"
