"""C++ toolchains for Android: clang and lld, by what platforms/android/repository.bzl found."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
)
load("@rules_cc//cc:defs.bzl", "cc_toolchain")
load(":repository.bzl", "API")

_ASSEMBLE = [
    ACTION_NAMES.assemble,
    ACTION_NAMES.preprocess_assemble,
]
_CPP = [
    ACTION_NAMES.cpp_compile,
    ACTION_NAMES.cpp_header_parsing,
]
_COMPILE = _ASSEMBLE + _CPP + [ACTION_NAMES.c_compile]
_PROGRAM = [ACTION_NAMES.cpp_link_executable]
_LIBRARY = [
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

# Of libraries and their objects, with any headers.
_CODE = [
    "-fPIC",
    "-O2",
    "-g0",
    "-DNDEBUG",
    "-ffunction-sections",
    "-fdata-sections",
    # Nothing is shown that does not say so, and nothing unwinds: no exceptions.
    "-fvisibility=hidden",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fomit-frame-pointer",
    # The same bytes whenever it is built.
    "-no-canonical-prefixes",
    "-Wno-builtin-macro-redefined",
    "-D__DATE__=\"redacted\"",
    "-D__TIMESTAMP__=\"redacted\"",
    "-D__TIME__=\"redacted\"",
]

_LINK_LIBRARY = [
    "-fuse-ld=lld",
    "-Wl,-z,max-page-size=16384",
    "-Wl,-z,noexecstack",
    "-Wl,-z,relro,-z,now",
    "-Wl,-z,text",
    "-Wl,-z,defs",
    "-Wl,-Bsymbolic",
    "-Wl,--gc-sections",
    "-Wl,--icf=all",
    "-Wl,-O2",
    # API 21 does not know the newer table of names.
    "-Wl,--hash-style=both",
    "-Wl,--build-id=none",
]

def _flag_sets(*pairs):
    """Pairs of actions and their flags; Bazel wants no group without a flag."""
    return [
        flag_set(actions = actions, flag_groups = [flag_group(flags = flags)])
        for actions, flags in pairs
        if flags
    ]

def _paths(found):
    """What Bazel calls tools, and where they are."""
    clang = found.get("clang")
    llvm = found.get("bin")
    tools = ["ar", "dwp", "nm", "objcopy", "objdump", "strip"]
    if clang == None:
        return {name: "missing.sh" for name in tools + ["cpp", "gcc", "gcov", "ld"]}
    paths = {name: llvm + name for name in tools}
    paths.update({name: clang for name in ["cpp", "gcc", "ld"]})
    paths["gcov"] = llvm + "cov"
    return paths

def _config_impl(ctx):
    found = json.decode(ctx.attr.found)
    triple = ctx.attr.triple
    glibc = ctx.attr.glibc
    here = "external/android_tools/"
    target = ["--target=%s%d" % (triple, API)] + ctx.attr.flags
    compile_cpp = []
    compile_any = []
    link_library = target + _LINK_LIBRARY
    link_program = []
    builtin = []
    if found["kind"] == "ndk":
        sysroot = "--sysroot=" + found["sysroot"]
        compile_any = [sysroot]
        builtin = [found["sysroot"], found["resources"] + "/include"]
        # Headers of the C++ library alone.
        link_library += [sysroot, "-nostdlib++", "-lm"]
        if found["runtime"] != found["resources"]:
            link_library += ["--rtlib=compiler-rt", "-resource-dir=" + found["runtime"]]
        link_program = target + [sysroot, "-fuse-ld=lld", "-static", "-lm"]
    elif found["kind"] == "stand_in":
        own = "" if glibc == "x86_64-linux-gnu" else "/usr/" + glibc
        include = (own or "/usr") + "/include"
        cpp = include + "/c++/12"
        compile_cpp = [
            "-nostdinc++",
            "-isystem",
            cpp,
            "-isystem",
            "%s/%s" % ("/usr/include/%s/c++/12" % glibc if own == "" else cpp, "" if own == "" else glibc),
        ]
        compile_any = [
            "-nostdlibinc",
            "-idirafter",
            here + "stand_in",
            "-idirafter",
            include,
            "-idirafter",
            "/usr/include/x86_64-linux-gnu" if own == "" else include,
            # Android's name of it.
            "-D__errno_location=__errno",
        ]
        builtin = [include, found["resources"] + "/include"]
        link_library += ["-nostdlib", "-L%slib/%s" % (here, triple), "-lm", "-lc"]
        runtime = "/usr/lib/%s/%s/12" % ("gcc" if own == "" else "gcc-cross", glibc)
        builtin.append(runtime)
        if ctx.attr.cpu == "armv7":
            # Division of 64-bit integers, as the NDK's libclang_rt has it.
            link_library += [runtime + "/libgcc.a"]

        # The same objects with glibc, statically: what a test runs here, or under qemu.
        link_program = [
            "--target=" + glibc,
            "-fuse-ld=lld",
            "-static",
            "-Wl,--gc-sections",
            "-Wl,--defsym=__errno=__errno_location",
            "-lstdc++",
            "-lm",
        ]
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = triple,
        host_system_name = "local",
        target_system_name = triple,
        target_cpu = "android-" + ctx.attr.cpu,
        target_libc = "bionic",
        compiler = "clang",
        abi_version = "unknown",
        abi_libc_version = "unknown",
        tool_paths = [tool_path(name = name, path = path) for name, path in _paths(found).items()],
        cxx_builtin_include_directories = builtin,
        features = [
            feature(name = "dbg"),
            feature(name = "fastbuild"),
            feature(name = "opt"),
            feature(name = "supports_pic", enabled = True),
            feature(name = "supports_start_end_lib", enabled = False),
            feature(
                name = "default_compile_flags",
                enabled = True,
                flag_sets = _flag_sets(
                    (_COMPILE, target),
                    (_COMPILE, _CODE),
                    (_CPP, compile_cpp),
                    (_COMPILE, compile_any),
                ),
            ),
            feature(
                name = "default_link_flags",
                enabled = True,
                flag_sets = _flag_sets(
                    (_LIBRARY, link_library),
                    (_PROGRAM, link_program),
                ),
            ),
        ],
    )

_android_toolchain_config = rule(
    implementation = _config_impl,
    attrs = {
        "cpu": attr.string(mandatory = True),
        "flags": attr.string_list(doc = "which processors the code is for"),
        "found": attr.string(mandatory = True, doc = "what the repository rule found, as JSON"),
        "glibc": attr.string(mandatory = True, doc = "triple of glibc's cross headers"),
        "triple": attr.string(mandatory = True, doc = "Android's, without the API level"),
    },
    provides = [CcToolchainConfigInfo],
)

def android_toolchain(name, cpu, found, glibc, triple, flags = []):
    """A cc_toolchain "<name>_cc" and a toolchain "<name>"."""
    _android_toolchain_config(
        name = name + "_config",
        cpu = cpu,
        flags = flags,
        found = found,
        glibc = glibc,
        triple = triple,
    )
    cc_toolchain(
        name = name + "_cc",
        all_files = ":files",
        ar_files = ":headers",
        as_files = ":headers",
        compiler_files = ":headers",
        dwp_files = ":headers",
        linker_files = ":libraries",
        objcopy_files = ":headers",
        strip_files = ":headers",
        toolchain_config = ":%s_config" % name,
        toolchain_identifier = triple,
    )
    native.toolchain(
        name = name,
        exec_compatible_with = [
            "@platforms//os:linux",
            "@platforms//cpu:x86_64",
        ],
        target_compatible_with = [
            "@platforms//os:android",
            "@platforms//cpu:" + cpu,
        ],
        toolchain = ":%s_cc" % name,
        toolchain_type = "@bazel_tools//tools/cpp:toolchain_type",
    )
