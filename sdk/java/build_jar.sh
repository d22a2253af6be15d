#!/usr/bin/env bash
# The Java classes as a jar, with nothing native in it:
#
#     sdk/java/build_jar.sh FOLDER       FOLDER gets classes.jar and sources.jar
#
# Class files of Java 8, which Android's tools take too. Needs a JDK, of 9 to 25. The same sources give the same bytes.
set -euo pipefail

out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/classes" "$work/compile_only"
javac=${JAVA_HOME:+$JAVA_HOME/bin/}javac
"$javac" --release 8 -Xlint:-options -d "$work/compile_only" $(find sdk/java/compile_only -name '*.java' | LC_ALL=C sort)
"$javac" --release 8 -encoding UTF-8 -g:source,lines -Xlint:all,-options -Xdoclint:all,-missing -Werror -classpath "$work/compile_only" \
  -d "$work/classes" $(find sdk/java/dev -name '*.java' | LC_ALL=C sort)
mkdir "$work/classes/META-INF" "$work/sources"
printf 'Manifest-Version: 1.0\r\nAutomatic-Module-Name: dev.handpick\r\n\r\n' >"$work/classes/META-INF/MANIFEST.MF"
cp -R sdk/java/dev "$work/sources/dev"
python3 platforms/package/make_zip.py "$work/classes" "$out/classes.jar"
python3 platforms/package/make_zip.py "$work/sources" "$out/sources.jar"
