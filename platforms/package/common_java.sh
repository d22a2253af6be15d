# What jvm-linux-x86_64 and android share. Sourced, before they are called.
# shellcheck shell=bash

# shellcheck source=common_linux.sh
. platforms/package/common_linux.sh

command -v "${JAVA_HOME:+$JAVA_HOME/bin/}javac" >/dev/null || missing 'a JDK of 9 or newer (platforms/setup.sh java, or JAVA_HOME)'

# What Maven and Gradle ask for beside a jar or AAR.
write_pom() { # artifact packaging file
  cat >"$3" <<POM
<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.handpick</groupId>
  <artifactId>$1</artifactId>
  <version>$version</version>
  <packaging>$2</packaging>
  <name>Handpick</name>
  <description>Runs a trained recommender on the device.</description>
  <licenses>
    <license>
      <name>Apache-2.0</name>
    </license>
  </licenses>
</project>
POM
}
