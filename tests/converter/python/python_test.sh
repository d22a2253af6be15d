#!/usr/bin/env bash
# Runs a test in Python, with Debian's packages and the converter's.
#
#     python_test.sh HANDPICK TEST.py [ARGUMENT...]
set -euo pipefail
export HANDPICK_BINARY=$PWD/$1
export PYTHONPATH=$PWD/converter/python${PYTHONPATH:+:$PYTHONPATH}
shift
[ -z "${HANDPICK_LIBRARY-}" ] || export HANDPICK_LIBRARY=$PWD/$HANDPICK_LIBRARY
exec /usr/bin/python3 -B "$@"
