#!/usr/bin/env bash
# The AAR: made twice with equal bytes; its structure; its libraries as Android wants them. Without an NDK the libraries are
# compiled with glibc's headers and linked against stand-ins that have what they may ask of Android, and nothing else. That
# checks all but what an NDK's own headers and libraries change, and so the test is reported as skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! platforms/setup.sh android java; then
  echo 'skipped: not installed: clang, lld and a JDK (platforms/setup.sh android java)'
  exit 77
fi

if [ -z "${ANDROID_NDK_HOME:-}" ]; then
  # The command says what is missing, and makes nothing.
  status=0
  platforms/package.sh android "$work/none" 2>"$work/errors" || status=$?
  [ "$status" = 3 ] && [ ! -e "$work/none" ] && grep -q 'ANDROID_NDK_HOME' "$work/errors"
  export HANDPICK_ANDROID_STAND_IN=1
fi
status=0
ANDROID_NDK_HOME=$work platforms/package.sh android "$work/none" 2>"$work/errors" || status=$?
[ "$status" = 3 ] && grep -q 'source.properties' "$work/errors"

platforms/package.sh android "$work/one"
platforms/package.sh android "$work/two"
diff -r "$work/one" "$work/two"

version=$(basename "$work"/one/dev/handpick/handpick-android/*)
maven=$work/one/dev/handpick/handpick-android/$version
for suffix in .aar .pom -sources.jar; do [ -s "$maven/handpick-android-$version$suffix" ]; done
grep -q '<packaging>aar</packaging>' "$maven/handpick-android-$version.pom"
grep -q "<version>$version</version>" "$maven/handpick-android-$version.pom"
aar=$work/aar
python3 -m zipfile -e "$maven/handpick-android-$version.aar" "$aar"

(cd "$aar" && find . -type f | LC_ALL=C sort) >"$work/files"
cat >"$work/expected" <<'FILES'
./AndroidManifest.xml
./LICENSE
./META-INF/com/android/build/gradle/aar-metadata.properties
./R.txt
./classes.jar
./jni/arm64-v8a/libhandpick.so
./jni/armeabi-v7a/libhandpick.so
./jni/x86_64/libhandpick.so
./prefab/modules/handpick/include/handpick/diagnostics.h
./prefab/modules/handpick/include/handpick/handpick.h
./prefab/modules/handpick/include/handpick/handpick.hpp
./prefab/modules/handpick/include/handpick/update.h
./prefab/modules/handpick/libs/android.arm64-v8a/abi.json
./prefab/modules/handpick/libs/android.arm64-v8a/libhandpick.so
./prefab/modules/handpick/libs/android.armeabi-v7a/abi.json
./prefab/modules/handpick/libs/android.armeabi-v7a/libhandpick.so
./prefab/modules/handpick/libs/android.x86_64/abi.json
./prefab/modules/handpick/libs/android.x86_64/libhandpick.so
./prefab/modules/handpick/module.json
./prefab/prefab.json
./proguard.txt
FILES
diff "$work/expected" "$work/files"
find "$aar" -name '*.json' -exec python3 -m json.tool {} /dev/null \;
python3 - "$aar" <<'MANIFEST'
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1] + "/AndroidManifest.xml").getroot()
name = "{http://schemas.android.com/apk/res/android}minSdkVersion"
assert root.get("package") == "dev.handpick" and root.find("uses-sdk").get(name) == "21"
MANIFEST

for abi in arm64-v8a:AArch64 armeabi-v7a:ARM x86_64:X86-64; do
  library=$aar/jni/${abi%%:*}/libhandpick.so
  cmp "$library" "$aar/prefab/modules/handpick/libs/android.${abi%%:*}/libhandpick.so"
  python3 tests/packages/check_jni.py --android "${abi#*:}" --soname libhandpick.so --needs libc.so,libm.so,libdl.so \
    "$library" sdk/include/handpick/*.h
  size=$(stat -c %s "$library")
  case ${abi%%:*} in
    arm64-v8a | armeabi-v7a) most=$((520 * 1024)) ;;
    x86_64) most=$((900 * 1024)) ;;
  esac
  printf '%s: %d bytes, %d at most\n' "${abi%%:*}" "$size" "$most"
  [ "$size" -le "$most" ]
done

# Ranking alone, by Highway, is held to 330 KB.
bazel build --color=no --curses=no --noshow_progress --config=android-arm64 --define handpick_engine=highway \
  --define handpick_recall=off //sdk:handpick_shared
cp bazel-bin/sdk/shared/libhandpick.so "$work/ranking.so"
chmod u+w "$work/ranking.so"
llvm-strip-19 --strip-unneeded "$work/ranking.so"
size=$(stat -c %s "$work/ranking.so")
printf 'arm64-v8a, ranking alone, by Highway: %d bytes\n' "$size"
[ "$size" -le $((330 * 1024)) ]

# R8's rules name what the library asks for: classes, and methods by their signatures.
for name in $(grep -oh '"dev/handpick/[A-Za-z]*"' sdk/java/jni/*.cc | tr -d '"' | sort -u); do
  grep -q "${name//\//.}\b" "$aar/proguard.txt" || { echo "proguard.txt does not keep $name"; exit 1; }
done

if [ -z "${ANDROID_NDK_HOME:-}" ]; then
  echo 'skipped: no NDK (ANDROID_NDK_HOME): checked an AAR whose libraries are linked against stand-ins'
  exit 77
fi
