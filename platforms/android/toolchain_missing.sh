#!/bin/sh
echo "No compiler for Android: platforms/setup.sh android installs Debian's; or set ANDROID_NDK_HOME to an NDK's folder (r25 or newer)." >&2
exit 1
