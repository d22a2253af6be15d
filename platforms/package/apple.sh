# shellcheck shell=bash disable=SC2154
# For apps on iOS and macOS: Handpick.xcframework, the static library in a framework for each system, and the Swift package
# that has it and the Swift sources.
#
# With Xcode: its compiler and linker. Elsewhere: those of `platforms/setup.sh apple`, whose code has not run on a device;
# DTCompiler in Info.plist says whose it is.
#
# The engine is Highway. HANDPICK_ENGINE=xnnpack takes XNNPACK, with Xcode: what of it goes to these systems is built by no test.

#
# HANDPICK_APPLE_SIMULATOR=part is for tests: simulators get a few objects in place of the library.

module=HandpickC # Of the C headers. The Swift module is Handpick.
engine=${HANDPICK_ENGINE:-highway}
zig=${XDG_CACHE_HOME:-$HOME/.cache}/handpick/zig

if command -v xcrun >/dev/null; then
  lipo=(xcrun lipo)
  compiler=com.apple.compilers.llvm.clang.1_0
elif [ -x "$zig/package/zig" ]; then
  lipo=(llvm-lipo-14)
  compiler=zig
  command -v llvm-lipo-14 >/dev/null || missing "llvm-lipo-14: platforms/setup.sh apple"
  export ZIG_GLOBAL_CACHE_DIR=$zig/cache ZIG_LOCAL_CACHE_DIR=$zig/cache
else
  missing "a compiler: Xcode, or platforms/setup.sh apple"
fi

# The objects of //sdk:handpick, and of what it uses, as one: symbols of others than hp_* are local, so that an app may have
# an XNNPACK, a Highway or a FlatBuffers of its own.
make_object() { # config processor system version file
  local options=(--config="$1" --define="handpick_engine=$engine") objects=//sdk:objects folder api=() rest=() object
  case ${HANDPICK_APPLE_SIMULATOR:-}$3 in part*-simulator) objects=//sdk:part_objects ;; esac
  build "${options[@]}" "$objects"
  folder=$(bazel info "${options[@]}" execution_root 2>/dev/null)
  while read -r object; do
    case $object in
      */_objs/handpick/* | */_objs/struct_size/*) api+=("$folder/$object") ;;
      *) rest+=("$folder/$object") ;;
    esac
  done < <(built "${options[@]}" "$objects")
  # Of an archive the linker takes what is needed.
  rm -f "$work/rest.a"
  if [ "$compiler" = zig ]; then
    local target=${2/arm64/aarch64}-${3%-simulator}.$4
    [ "$3" = "${3%-simulator}" ] || target+=-simulator
    "$zig/package/zig" ar --format=darwin rcsD "$work/rest.a" "${rest[@]}"
    "$zig/package/zig" build-obj -target "$target" -fno-compiler-rt -fstrip "${api[@]}" "$work/rest.a" "-femit-bin=$5"
  else
    xcrun libtool -static -D -o "$work/rest.a" "${rest[@]}"
    xcrun ld -r -arch "$2" -platform_version "$3" "$4" "$4" -exported_symbol '_hp_*' "${api[@]}" "$work/rest.a" -o "$5"
  fi
}

make_archive() { # file object
  rm -f "$1"
  if [ "$compiler" = zig ]; then
    (cd "$(dirname "$2")" && "$zig/package/zig" ar --format=darwin rcsD "$1" "$(basename "$2")")
  else
    xcrun libtool -static -D -o "$1" "$2"
  fi
}

# A framework around a library. On macOS a framework has versions, of which there is one.
make_framework() { # folder library plist-platform minimum
  local framework=$1/$module.framework inside resources header
  if [ "$3" = MacOSX ]; then
    inside=$framework/Versions/A
    resources=$inside/Resources
    mkdir -p "$resources"
    ln -s A "$framework/Versions/Current"
    for header in "$module" Headers Modules Resources; do ln -s "Versions/Current/$header" "$framework/$header"; done
  else
    inside=$framework
    resources=$inside
  fi
  mkdir -p "$inside/Headers" "$inside/Modules"
  cp "$2" "$inside/$module"
  for header in sdk/include/handpick/*; do
    # In a framework, headers find one another by its name.
    sed "s|#include [\"<]handpick/\(.*\)[\">]|#include <$module/\1>|" "$header" >"$inside/Headers/$(basename "$header")"
  done
  python3 platforms/apple/plists.py modulemap "$module" "$inside/Headers" >"$inside/Modules/module.modulemap"
  python3 platforms/apple/plists.py framework "$module" "$version" "$3" "$4" "$compiler" >"$resources/Info.plist"
  python3 platforms/apple/plists.py privacy >"$resources/PrivacyInfo.xcprivacy"
}

make_slice() { # name plist-platform minimum (config processor system version)...
  local name=$1 platform=$2 minimum=$3 archives=()
  shift 3
  while [ $# -gt 0 ]; do
    mkdir -p "$work/$1"
    make_object "$1" "$2" "$3" "$4" "$work/$1/handpick.o"
    make_archive "$work/$1/libhandpick.a" "$work/$1/handpick.o"
    archives+=("$work/$1/libhandpick.a")
    shift 4
  done
  "${lipo[@]}" -create "${archives[@]}" -output "$work/$name.a"
  make_framework "$xcframework/$name" "$work/$name.a" "$platform" "$minimum"
}

# The versions are those of platforms/apple/BUILD.
xcframework=$work/xc/Handpick.xcframework
mkdir -p "$xcframework"
make_slice ios-arm64 iPhoneOS 13.0 ios-arm64 arm64 ios 13.0
make_slice ios-arm64_x86_64-simulator iPhoneSimulator 13.0 \
  ios-sim-arm64 arm64 ios-simulator 14.0 ios-sim-x86_64 x86_64 ios-simulator 13.0
make_slice macos-arm64_x86_64 MacOSX 10.15 macos-arm64 arm64 macos 11.0 macos-x86_64 x86_64 macos 10.15
python3 platforms/apple/plists.py xcframework "$module" >"$xcframework/Info.plist"
cp LICENSE "$xcframework/"
make_zip "$work/xc" "$out/Handpick.xcframework.zip"

# The Swift package: Package.swift beside the framework.
package=$work/swift/handpick
mkdir -p "$package"
cp -R sdk/swift/Package.swift sdk/swift/README.md sdk/swift/Sources LICENSE "$package/"
cp -R "$xcframework" "$package/"
make_zip "$work/swift" "$out/handpick-swift-$version.zip"
