"""C++ toolchains made of Debian's gcc cross compilers."""

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

def _flags(actions, flags, mode = None):
    return flag_set(
        actions = actions,
        flag_groups = [flag_group(flags = flags)],
        with_features = [with_feature_set(features = [mode])] if mode else [],
    )

def _gcc_cross_toolchain_config_impl(ctx):
    triple = ctx.attr.triple
    tools = {
        "ar": "ar",
        "cpp": "cpp",
        "dwp": "dwp",
        "gcc": "gcc",
        "gcov": "gcov",
        "ld": "ld",
        "nm": "nm",
        "objcopy": "objcopy",
        "objdump": "objdump",
        "strip": "strip",
    }
    compile_flags = feature(
        name = "default_compile_flags",
        enabled = True,
        flag_sets = [
            _flags(_COMPILE, ctx.attr.processor_flags + [
                "-fPIC",
                "-fno-omit-frame-pointer",
                "-fno-canonical-system-headers",
            ]),
            # The same bytes whenever it is built, so that caches hit.
            _flags(_COMPILE, [
                "-Wno-builtin-macro-redefined",
                "-D__DATE__=\"redacted\"",
                "-D__TIMESTAMP__=\"redacted\"",
                "-D__TIME__=\"redacted\"",
            ]),
            _flags(_COMPILE, ["-g"], "dbg"),
            _flags(
                _COMPILE,
                ["-g0", "-O2", "-DNDEBUG", "-ffunction-sections", "-fdata-sections"],
                "opt",
            ),
        ],
    )
    link_flags = feature(
        name = "default_link_flags",
        enabled = True,
        flag_sets = [
            _flags(_LINK, ["-lstdc++", "-lm", "-Wl,-z,relro,-z,now"]),
            _flags(_LINK, ["-Wl,--gc-sections"], "opt"),
        ],
    )
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = triple,
        host_system_name = "local",
        target_system_name = triple,
        target_cpu = ctx.attr.cpu,
        target_libc = "glibc",
        compiler = "gcc",
        abi_version = "unknown",
        abi_libc_version = "unknown",
        tool_paths = [
            tool_path(name = name, path = "/usr/bin/%s-%s" % (triple, tool))
            for name, tool in tools.items()
        ],
        cxx_builtin_include_directories = [
            "/usr/%s/include" % triple,
            "/usr/lib/gcc-cross/%s" % triple,
        ],
        features = [
            feature(name = "dbg"),
            feature(name = "fastbuild"),
            feature(name = "opt"),
            feature(name = "supports_pic", enabled = True),
            feature(name = "supports_start_end_lib", enabled = False),
            compile_flags,
            link_flags,
        ],
    )

gcc_cross_toolchain_config = rule(
    implementation = _gcc_cross_toolchain_config_impl,
    attrs = {
        "cpu": attr.string(mandatory = True),
        "processor_flags": attr.string_list(doc = "which processors the code is for"),
        "triple": attr.string(mandatory = True, doc = "GNU triple, the prefix of the tools"),
    },
    provides = [CcToolchainConfigInfo],
)
