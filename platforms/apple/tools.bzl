"""The compiler for Apple's systems, as a repository of wrapper scripts: @apple_tools.

On a Mac it is Xcode's, by xcrun. Elsewhere it is the clang inside the zig package of npm that `platforms/setup.sh apple` fetches (HANDPICK_ZIG,
which the .bazelrc.local that it writes sets), with the headers that zig carries: they are those of macOS, and serve for iOS too.
"""

# Which SDK of Xcode's a target is compiled with, told by the triple.
_XCODE = """#!/bin/sh
sdk=macosx
for argument; do
  case $argument in
    --target=*-ios*-simulator) sdk=iphonesimulator ;;
    --target=*-ios*) sdk=iphoneos ;;
  esac
done
exec "{xcrun}" --sdk "$sdk" {tool} "$@"
"""

# zig calls clang's own driver `zig clang`; `zig c++` links, and has macOS's libraries, and makes libc++ at its first link.
_ZIG_CC = """#!/bin/bash
set -euo pipefail
export ZIG_GLOBAL_CACHE_DIR="{zig}/cache" ZIG_LOCAL_CACHE_DIR="{zig}/cache"
compile=
for argument; do
  case $argument in -c | -E | -S | -M | -fsyntax-only) compile=yes ;; esac
done
if [ -n "$compile" ]; then
  exec "{zig}/package/zig" clang "$@"
fi
arguments=()
for argument; do
  case $argument in
    --target=arm64-apple-macos*) arguments+=(-target "aarch64-macos.${{argument##*macos}}") ;;
    --target=x86_64-apple-macos*) arguments+=(-target "x86_64-macos.${{argument##*macos}}") ;;
    --target=*) printf 'apple_tools: there are no libraries to link for %s here; they come with Xcode\\n' "$argument" >&2; exit 1 ;;
    *) arguments+=("$argument") ;;
  esac
done
exec "{zig}/package/zig" c++ "${{arguments[@]}}"
"""

_ZIG_AR = """#!/bin/sh
exec "{zig}/package/zig" ar "$@"
"""

_NONE = """#!/bin/sh
echo 'apple_tools: no compiler for Apple systems here: run platforms/setup.sh apple, or install Xcode' >&2
exit 1
"""

def _apple_tools_impl(ctx):
    xcrun = ctx.which("xcrun")
    zig = ctx.os.environ.get("HANDPICK_ZIG", "")
    headers = []
    if xcrun:
        kind = "xcode"
        builtin = ["/Applications", "/Library/Developer"]
        tools = {
            "ar": _XCODE.format(xcrun = xcrun, tool = "libtool"),
            "cc": _XCODE.format(xcrun = xcrun, tool = "clang"),
        }
    elif zig and ctx.path(zig).get_child("package").get_child("zig").exists:
        kind = "zig"
        lib = zig + "/package/lib/"
        headers = [lib + "libcxx/include", lib + "include", lib + "libc/include/any-macos-any"]
        builtin = headers
        tools = {
            "ar": _ZIG_AR.format(zig = zig),
            "cc": _ZIG_CC.format(zig = zig),
        }
    else:
        kind = "none"
        builtin = []
        tools = {"ar": _NONE, "cc": _NONE}
    for name, text in tools.items():
        ctx.file(name, text, executable = True)
    ctx.file("defs.bzl", "KIND = %r\nBUILTIN = %r\nHEADERS = %r\n" % (kind, builtin, headers), executable = False)
    ctx.file("WORKSPACE", "", executable = False)
    ctx.file(
        "BUILD",
        "filegroup(name = 'tools', srcs = ['ar', 'cc'], visibility = ['//visibility:public'])\n",
        executable = False,
    )

apple_tools = repository_rule(
    implementation = _apple_tools_impl,
    environ = ["HANDPICK_ZIG", "PATH"],
    local = True,
)
