"""The C++ toolchain for Windows: Debian's mingw."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
    "with_feature_set",
)

_COMPILE = [
    ACTION_NAMES.assemble,
    ACTION_NAMES.preprocess_assemble,
    ACTION_NAMES.c_compile,
    ACTION_NAMES.cpp_compile,
    ACTION_NAMES.cpp_header_parsing,
    ACTION_NAMES.linkstamp_compile,
]

_LINK = [
    ACTION_NAMES.cpp_link_executable,
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

_TRIPLE = "x86_64-w64-mingw32"

def _flags(actions, flags, mode = None):
    return flag_set(
        actions = actions,
        flag_groups = [flag_group(flags = flags)],
        with_features = [with_feature_set(features = [mode])] if mode else [],
    )

def _mingw_toolchain_config_impl(ctx):
    compile_flags = feature(
        name = "default_compile_flags",
        enabled = True,
        flag_sets = [
            _flags(_COMPILE, [
                "-fno-canonical-system-headers",
                "-D_WIN32_WINNT=0x0602",  # Windows 8.
                "-D_FILE_OFFSET_BITS=64",
                # Windows aligns the stack to 16 bytes, and gcc takes 32 and 64 for granted where it saves AVX registers
                # (gcc's bug 54412): moves that need no alignment.
                "-Wa,-muse-unaligned-vector-move",
            ]),
            # The same bytes whenever it is built, so that caches hit.
            _flags(_COMPILE, [
                "-Wno-builtin-macro-redefined",
                "-D__DATE__=\"redacted\"",
                "-D__TIMESTAMP__=\"redacted\"",
                "-D__TIME__=\"redacted\"",
            ]),
            _flags(_COMPILE, ["-g"], "dbg"),
            _flags(_COMPILE, ["-g0", "-O2", "-DNDEBUG", "-ffunction-sections", "-fdata-sections"], "opt"),
        ],
    )
    link_flags = feature(
        name = "default_link_flags",
        enabled = True,
        flag_sets = [
            # All but what Windows has is in the program.
            _flags(_LINK, ["-static", "-lstdc++", "-lm", "-Wl,--no-insert-timestamp"]),
            _flags(_LINK, ["-Wl,--gc-sections"], "opt"),
        ],
    )
    tools = {
        name: "/usr/bin/%s-%s" % (_TRIPLE, name)
        for name in ["ar", "cpp", "dwp", "gcov", "ld", "nm", "objcopy", "objdump", "strip"]
    }

    # The threads are Windows' own: nothing of a library for POSIX threads.
    tools["gcc"] = "/usr/bin/%s-gcc-win32" % _TRIPLE
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = _TRIPLE,
        host_system_name = "local",
        target_system_name = _TRIPLE,
        target_cpu = "windows_x86_64",
        target_libc = "msvcrt",
        compiler = "gcc",
        abi_version = "unknown",
        abi_libc_version = "unknown",
        tool_paths = [tool_path(name = name, path = path) for name, path in tools.items()],
        cxx_builtin_include_directories = [
            "/usr/%s/include" % _TRIPLE,
            "/usr/lib/gcc/%s" % _TRIPLE,
            "/usr/share/mingw-w64/include",
        ],
        features = [
            feature(name = "dbg"),
            feature(name = "fastbuild"),
            feature(name = "opt"),
            feature(name = "supports_pic"),
            feature(name = "supports_start_end_lib", enabled = False),
            compile_flags,
            link_flags,
        ],
    )

mingw_toolchain_config = rule(
    implementation = _mingw_toolchain_config_impl,
    provides = [CcToolchainConfigInfo],
)
