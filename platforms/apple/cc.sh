#!/bin/sh
# A toolchain can name tools in its own folder alone.
exec external/apple_tools/cc "$@"
