# shellcheck shell=bash
# A jar for Java and Kotlin on Linux x86-64, with the library in it: Java 8 and newer.
# shellcheck source=common_java.sh
. platforms/package/common_java.sh

# With signatures: what holds the library's size is for phones.
build --define=handpick_signature=on //sdk/java:libhandpick_jni.so
mkdir "$work/java" "$work/jar"
sdk/java/build_jar.sh "$work/java"
python3 -m zipfile -e "$work/java/classes.jar" "$work/jar"
mkdir -p "$work/jar/dev/handpick/native/linux-x86_64"
install -m 644 "$(built --define=handpick_signature=on //sdk/java:libhandpick_jni.so)" "$work/jar/dev/handpick/native/linux-x86_64/libhandpick_jni.so"
write_notices "$work/jar/META-INF/LICENSE"
find "$work/jar" -type f -exec chmod 644 {} +
make_zip "$work/jar" "$out/handpick-$version.jar"
cp "$work/java/sources.jar" "$out/handpick-$version-sources.jar"
cp "$work/jar/META-INF/LICENSE" "$out/LICENSE"
write_pom handpick-jvm jar "$out/handpick-$version.pom"
