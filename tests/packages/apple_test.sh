#!/usr/bin/env bash
# The package for Apple's systems, whose code for simulators is a few files (it is compiled as that for devices and Macs is, and
# differs in the system's number): comes out the same twice; its frameworks have what Xcode and the App Store want, and call
# nothing that needs a reason; its headers make a module; a library for macOS links with it, and the code of both processors, run
# here by run_macho, recommends what the C API does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
platforms/setup.sh apple

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HANDPICK_APPLE_SIMULATOR=part
platforms/package.sh apple "$work/one"
platforms/package.sh apple "$work/two"
diff -r "$work/one" "$work/two"
python3 tests/packages/check_apple.py "$work/one/Handpick.xcframework.zip" sdk/include/handpick "$work/unpacked"
python3 - "$work/one"/handpick-swift-*.zip <<'PY'
import sys, zipfile
names = set(zipfile.ZipFile(sys.argv[1]).namelist())
for name in ["Package.swift", "Sources/Handpick/Session.swift", "Handpick.xcframework/Info.plist", "README.md", "LICENSE"]:
    assert "handpick/" + name in names, name
PY

cache=${XDG_CACHE_HOME:-$HOME/.cache}/handpick/zig
zig=$cache/package/zig
export ZIG_GLOBAL_CACHE_DIR=$cache/cache ZIG_LOCAL_CACHE_DIR=$cache/cache

# As clang reads a framework's module in Xcode.
printf '%s\n' '#include <HandpickC/diagnostics.h>' 'hp_status f(hp_session* s, float* w) { return hp_session_check_goldens(s, w); }' >"$work/use.c"
for slice in ios-arm64:arm64-apple-ios13.0 ios-arm64_x86_64-simulator:x86_64-apple-ios13.0-simulator \
  macos-arm64_x86_64:arm64-apple-macos11.0; do
  "$zig" clang --target="${slice#*:}" -nostdinc -isystem "$cache/package/lib/include" \
    -isystem "$cache/package/lib/libc/include/any-macos-any" -fmodules -fmodules-cache-path="$work/modules" -Werror -Wall \
    -Rmodule-import -F"$work/unpacked/Handpick.xcframework/${slice%:*}" -fsyntax-only "$work/use.c" 2>"$work/said"
  grep -q "importing module 'HandpickC'" "$work/said"
done

. tests/packages/films.sh
make_films "$work/films.hpk"
bazel build --color=no --curses=no --noshow_progress //sdk:handpick_shared
cp bazel-bin/sdk/shared/libhandpick.so "$work/libhandpick.so.0"
gcc -std=c11 -Isdk/include -I. tests/packages/{print_top_ten,top_ten}.c -o "$work/here" "$work/libhandpick.so.0" "-Wl,-rpath,$work"
LD_LIBRARY_PATH=bazel-bin/sdk/shared "$work/here" "$work/films.hpk" >"$work/expected"
[ "$(wc -l <"$work/expected")" = 10 ]

run_macos() { # processor zig's-target compiler runner...
  local processor=$1 target=$2 compiler=$3
  shift 3
  # libc++'s one function is found when it is loaded, as an app finds it in Apple's. Linked by LLVM's linker: zig's crashes at
  # some objects for x86_64.
  "$zig" cc -target "$target" -O1 -c -Isdk/include -I. tests/packages/top_ten.c -o "$work/$processor.o"
  ld64.lld-14 -arch "$processor" -platform_version macos "${target##*-macos.}" 11.0 -dylib -dead_strip -undefined dynamic_lookup \
    "$work/$processor.o" "$work/unpacked/$processor.a" -L"$cache/package/lib/libc/darwin" -lSystem -o "$work/$processor.dylib"
  "$compiler" -std=gnu11 -O1 -Wall -Wextra -Werror -static -I. tests/packages/run_macho.c -o "$work/run_$processor" -lm
  "$@" "$work/run_$processor" "$work/$processor.dylib" "$work/films.hpk" >"$work/said"
  diff <(cut -d' ' -f1 "$work/expected") <(cut -d' ' -f1 "$work/said")
  paste -d' ' "$work/expected" "$work/said" |
    awk '{ d = $2 - $4; if (d > 1e-5 || d < -1e-5) { print; bad = 1 } } END { exit bad }'
}
run_macos x86_64 x86_64-macos.10.15 gcc
run_macos arm64 aarch64-macos.11.0 aarch64-linux-gnu-gcc qemu-aarch64-static
