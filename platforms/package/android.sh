# shellcheck shell=bash
# One AAR for Android 5 (API 21) and newer, in the layout of a Maven repository: Java and Kotlin classes, the library for
# arm64-v8a, armeabi-v7a and x86_64, and a prefab module for an app's own C and C++.
# shellcheck source=common_java.sh
. platforms/package/common_java.sh

# HANDPICK_ANDROID_STAND_IN=1 is for tests: without an NDK, against the stand-ins of platforms/android.
ndk_major=25
if [ -n "${ANDROID_NDK_HOME:-}" ]; then
  ndk_major=$(sed -n 's/^Pkg.Revision *= *\([0-9]*\).*/\1/p' "$ANDROID_NDK_HOME/source.properties" 2>/dev/null || true)
  [ "${ndk_major:-0}" -ge 25 ] || missing "an Android NDK, r25 or newer: ANDROID_NDK_HOME is '$ANDROID_NDK_HOME', which has no source.properties of one"
elif [ "${HANDPICK_ANDROID_STAND_IN:-}" != 1 ]; then
  missing 'an Android NDK, r25 or newer: set ANDROID_NDK_HOME to its folder (Android Studio installs it: SDK Manager, SDK Tools, NDK)'
fi

aar=$work/aar
module=$aar/prefab/modules/handpick
mkdir -p "$module/include" "$work/java" "$aar/META-INF/com/android/build/gradle"

for abi in arm64-v8a:android-arm64 armeabi-v7a:android-armv7 x86_64:android-x86_64; do
  config=${abi#*:}
  abi=${abi%%:*}
  build "--config=$config" //sdk/java:libhandpick_jni.so
  mkdir -p "$aar/jni/$abi" "$module/libs/android.$abi"
  install -m 644 "$(built "--config=$config" //sdk/java:libhandpick_jni.so)" "$aar/jni/$abi/libhandpick.so"
  cp "$aar/jni/$abi/libhandpick.so" "$module/libs/android.$abi/"
  printf '{"abi": "%s", "api": 21, "ndk": %d, "stl": "none"}\n' "$abi" "$ndk_major" >"$module/libs/android.$abi/abi.json"
done

cp -R sdk/include/handpick "$module/include/handpick"
printf '{"export_libraries": [], "library_name": "libhandpick"}\n' >"$module/module.json"
printf '{"schema_version": 1, "name": "handpick", "version": "%s", "dependencies": []}\n' "$version" >"$aar/prefab/prefab.json"

sdk/java/build_jar.sh "$work/java"
cp "$work/java/classes.jar" "$aar/classes.jar"
cp sdk/java/consumer_rules.pro "$aar/proguard.txt"
: >"$aar/R.txt"
cat >"$aar/AndroidManifest.xml" <<'MANIFEST'
<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="dev.handpick">
    <uses-sdk android:minSdkVersion="21" />
</manifest>
MANIFEST
printf 'aarFormatVersion=1.0\naarMetadataVersion=1.0\nminCompileSdk=21\n' \
  >"$aar/META-INF/com/android/build/gradle/aar-metadata.properties"
write_notices "$aar/LICENSE"
find "$aar" -type f -exec chmod 644 {} +

maven=$out/dev/handpick/handpick-android/$version
mkdir -p "$maven"
make_zip "$aar" "$maven/handpick-android-$version.aar"
cp "$work/java/sources.jar" "$maven/handpick-android-$version-sources.jar"
write_pom handpick-android aar "$maven/handpick-android-$version.pom"
cp "$aar/LICENSE" "$out/LICENSE"
