"""C++ toolchains for iOS and macOS, made of @apple_tools."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load("@apple_tools//:defs.bzl", "BUILTIN", "HEADERS", "KIND")
load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
    "variable_with_value",
    "with_feature_set",
)

_COMPILE_CC = [
    ACTION_NAMES.cpp_compile,
    ACTION_NAMES.cpp_header_parsing,
    ACTION_NAMES.linkstamp_compile,
]

_COMPILE = _COMPILE_CC + [
    ACTION_NAMES.assemble,
    ACTION_NAMES.preprocess_assemble,
    ACTION_NAMES.c_compile,
]

_LINK = [
    ACTION_NAMES.cpp_link_executable,
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

# zig carries libc++'s headers without the file that says how it was configured. As Apple's is.
_LIBCXX = [
    "-D_LIBCPP_ABI_VERSION=1",
    "-D_LIBCPP_ABI_NAMESPACE=__1",
    "-D_LIBCPP_HARDENING_MODE_DEFAULT=2",
]

def _flags(actions, flags, mode = None):
    return flag_set(
        actions = actions,
        flag_groups = [flag_group(flags = flags)],
        with_features = [with_feature_set(features = [mode])] if mode else [],
    )

def _isystem(folders):
    flags = []
    for folder in folders:
        flags += ["-isystem", folder]
    return flags

# The archiver that Bazel expects for this libc is Apple's libtool.
def _archiver_flags():
    files = flag_group(
        iterate_over = "libraries_to_link",
        flag_groups = [
            flag_group(
                flags = ["%{libraries_to_link.name}"],
                expand_if_equal = variable_with_value(name = "libraries_to_link.type", value = "object_file"),
            ),
            flag_group(
                flags = ["%{libraries_to_link.object_files}"],
                iterate_over = "libraries_to_link.object_files",
                expand_if_equal = variable_with_value(name = "libraries_to_link.type", value = "object_file_group"),
            ),
        ],
        expand_if_available = "libraries_to_link",
    )
    return feature(
        name = "archiver_flags",
        flag_sets = [flag_set(
            actions = [ACTION_NAMES.cpp_link_static_library],
            flag_groups = [
                flag_group(flags = ["-static", "-D", "-o"] if KIND == "xcode" else ["rcsD"]),
                flag_group(flags = ["%{output_execpath}"], expand_if_available = "output_execpath"),
                files,
            ],
        )],
    )

def _apple_toolchain_config_impl(ctx):
    target = ["--target=" + ctx.attr.triple]
    if ctx.attr.processor:
        target.append("-mcpu=" + ctx.attr.processor)
    headers = []
    if HEADERS:
        headers = [
            _flags(_COMPILE, ["-nostdinc"]),
            _flags(_COMPILE_CC, _LIBCXX + _isystem(HEADERS[:1])),
            _flags(_COMPILE, _isystem(HEADERS[1:])),
        ]
    compile_flags = feature(
        name = "default_compile_flags",
        enabled = True,
        flag_sets = [
            # Hidden: what the headers do not mark for apps is nobody's business, third-party code included.
            _flags(_COMPILE, target + ["-fPIC", "-fno-omit-frame-pointer", "-fvisibility=hidden"]),
            _flags(_COMPILE_CC, ["-fvisibility-inlines-hidden"]),
            # The same bytes whenever it is built, so that caches hit.
            _flags(_COMPILE, [
                "-Wno-builtin-macro-redefined",
                "-D__DATE__=\"redacted\"",
                "-D__TIMESTAMP__=\"redacted\"",
                "-D__TIME__=\"redacted\"",
            ]),
            _flags(_COMPILE, ["-g"], "dbg"),
            _flags(_COMPILE, ["-g0", "-O2", "-DNDEBUG"], "opt"),
        ] + headers,
    )
    link_flags = feature(
        name = "default_link_flags",
        enabled = True,
        flag_sets = [
            _flags(_LINK, target + (["-lc++"] if KIND == "xcode" else [])),
            _flags(_LINK, ["-Wl,-dead_strip"], "opt"),
        ],
    )
    tools = {name: "/usr/bin/false" for name in ["cpp", "dwp", "gcov", "ld", "nm", "objcopy", "objdump", "strip"]}
    tools["ar"] = "ar.sh"
    tools["gcc"] = "cc.sh"
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = ctx.attr.triple,
        host_system_name = "local",
        target_system_name = ctx.attr.triple,
        target_cpu = ctx.attr.cpu,
        target_libc = "macosx",
        compiler = "clang",
        abi_version = "unknown",
        abi_libc_version = "unknown",
        tool_paths = [tool_path(name = name, path = path) for name, path in tools.items()],
        cxx_builtin_include_directories = BUILTIN,
        features = [
            feature(name = "dbg"),
            feature(name = "fastbuild"),
            feature(name = "opt"),
            feature(name = "supports_pic", enabled = True),
            feature(name = "supports_start_end_lib", enabled = False),
            _archiver_flags(),
            compile_flags,
            link_flags,
        ],
    )

_apple_toolchain_config = rule(
    implementation = _apple_toolchain_config_impl,
    attrs = {
        "cpu": attr.string(mandatory = True),
        "processor": attr.string(doc = "clang's -mcpu; empty: its own choice"),
        "triple": attr.string(mandatory = True, doc = "clang's: processor, system and its oldest version"),
    },
    provides = [CcToolchainConfigInfo],
)

def apple_toolchain(name, cpu, triple, constraints, processor = ""):
    """The platform NAME, and the toolchain NAME_toolchain for it.

    Args:
      name: of the --config, with underscores
      cpu: what --cpu says; names the output folder too
      triple: clang's
      constraints: what the platform is
      processor: clang's -mcpu
    """
    _apple_toolchain_config(
        name = name + "_config",
        cpu = cpu,
        processor = processor,
        triple = triple,
    )
    native.cc_toolchain(
        name = name + "_cc",
        all_files = ":tools",
        ar_files = ":tools",
        compiler_files = ":tools",
        dwp_files = "//platforms:nothing",
        linker_files = ":tools",
        objcopy_files = "//platforms:nothing",
        strip_files = "//platforms:nothing",
        toolchain_config = name + "_config",
        toolchain_identifier = triple,
    )
    native.platform(
        name = name,
        constraint_values = constraints,
    )
    native.toolchain(
        name = name + "_toolchain",
        target_compatible_with = constraints,
        toolchain = name + "_cc",
        toolchain_type = "@bazel_tools//tools/cpp:toolchain_type",
    )
