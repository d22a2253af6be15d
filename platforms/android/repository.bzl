"""Repository rule: which compiler, headers and libraries there are for Android on this machine.

ANDROID_NDK_HOME names the folder of an NDK, r25 or newer: its clang, headers and libraries are used. HANDPICK_CLANG (which
.bazelrc.local sets when platforms/setup.sh has installed Debian's clang-19) is another clang: with an NDK it takes the
place of the NDK's if HANDPICK_ANDROID_CLANG is 1; without one it compiles with the headers of glibc's cross compilers, and
libraries are linked against stand-ins for Android's (platforms/android/symbols.txt). Such a library shows what code is in it and
what it asks for, and runs on Android as far as those headers agree with Android's.
"""

API = 21

_TARGETS = {
    "aarch64-linux-android": "aarch64-linux-android",
    "armv7a-linux-androideabi": "arm-linux-androideabi",
    "x86_64-linux-android": "x86_64-linux-android",
}

def _run(ctx, command):
    result = ctx.execute(command)
    if result.return_code != 0:
        fail("%s: %s" % (" ".join([str(word) for word in command]), result.stderr))
    return result.stdout.strip()

def _stand_ins(ctx, clang):
    symbols = {}
    for line in ctx.read(ctx.attr.symbols).splitlines():
        if line and not line.startswith("#"):
            library, symbol = line.split(" ")
            symbols.setdefault(library, []).append(symbol)
    for triple in _TARGETS:
        for library, names in symbols.items():
            ctx.file("lib/%s/%s.c" % (triple, library), "".join(
                ["void %s(void) {}\n" % name for name in names],
            ), executable = False)
            _run(ctx, [
                clang,
                "--target=%s%d" % (triple, API),
                "-w",
                "-ffreestanding",
                "-fno-builtin",
                "-shared",
                "-nostdlib",
                "-fuse-ld=lld",
                "-Wl,-soname," + library,
                "-o",
                "lib/%s/%s" % (triple, library),
                "lib/%s/%s.c" % (triple, library),
            ])

def _android_tools_impl(ctx):
    ndk = ctx.os.environ.get("ANDROID_NDK_HOME", "")
    clang = ctx.os.environ.get("HANDPICK_CLANG", "")
    found = {"kind": "none"}
    if ndk:
        llvm = ctx.path(ndk + "/toolchains/llvm/prebuilt/linux-x86_64")
        if not llvm.get_child("sysroot").exists:
            fail("ANDROID_NDK_HOME is %s, which is no NDK of Linux from r25 on: it has no %s/sysroot" % (ndk, llvm))
        own = str(llvm) + "/bin/clang"
        other = clang if ctx.os.environ.get("HANDPICK_ANDROID_CLANG", "") == "1" else ""
        found = {
            "kind": "ndk",
            "clang": other or own,
            "bin": str(llvm) + "/bin/llvm-",
            "resources": _run(ctx, [other or own, "-print-resource-dir"]),
            # Where the NDK's clang has what the compiler calls (libclang_rt.builtins).
            "runtime": _run(ctx, [own, "-print-resource-dir"]),
            "sysroot": str(llvm) + "/sysroot",
        }
    elif clang and ctx.path(clang).exists:
        found = {
            "kind": "stand_in",
            "clang": clang,
            "bin": clang[:clang.rindex("/")] + "/llvm-",
            "resources": _run(ctx, [clang, "-print-resource-dir"]),
        }
        _stand_ins(ctx, clang)
    for header in ctx.attr.stand_ins:
        ctx.file(header.name, ctx.read(header), executable = False)
    ctx.file("missing.sh", ctx.read(ctx.attr.missing))
    ctx.file("WORKSPACE", "", executable = False)
    ctx.file("found.bzl", "FOUND = %s\n" % repr(json.encode(found)), executable = False)
    ctx.file("BUILD", ctx.read(ctx.attr.build_file), executable = False)

android_tools = repository_rule(
    implementation = _android_tools_impl,
    attrs = {
        "build_file": attr.label(default = Label("//platforms/android:tools.BUILD"), allow_single_file = True),
        "missing": attr.label(default = Label("//platforms/android:toolchain_missing.sh"), allow_single_file = True),
        "stand_ins": attr.label_list(default = [
            Label("//platforms/android:stand_in/android/api-level.h"),
            Label("//platforms/android:stand_in/gnu/stubs-soft.h"),
        ], allow_files = True),
        "symbols": attr.label(default = Label("//platforms/android:symbols.txt"), allow_single_file = True),
    },
    environ = ["ANDROID_NDK_HOME", "HANDPICK_ANDROID_CLANG", "HANDPICK_CLANG"],
    local = True,
)
