"""C++ toolchain of Emscripten, as Debian has it: WebAssembly with 128-bit SIMD."""

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

_LINK = [ACTION_NAMES.cpp_link_executable]

def _flags(actions, flags, mode = None):
    return flag_set(
        actions = actions,
        flag_groups = [flag_group(flags = flags)],
        with_features = [with_feature_set(features = [mode])] if mode else [],
    )

def _emscripten_toolchain_config_impl(ctx):
    tools = {
        "ar": "/usr/bin/emar",
        "cpp": "/usr/bin/emcc",
        "dwp": "/bin/false",
        "gcc": "/usr/bin/emcc",
        "gcov": "/bin/false",
        "ld": "/usr/bin/emcc",
        "nm": "/usr/bin/llvm-nm-14",
        "objcopy": "/bin/false",
        "objdump": "/bin/false",
        "strip": "/bin/false",
    }
    compile_flags = feature(
        name = "default_compile_flags",
        enabled = True,
        flag_sets = [
            # All of the library runs on one thread, and nothing that it links throws: no code for either.
            _flags(_COMPILE, ["-msimd128", "-fno-exceptions"]),
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
        # Binaryen's optimiser runs when linking.
        flag_sets = [_flags(_LINK, ["-O3"], "opt")],
    )
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = "emscripten",
        host_system_name = "local",
        target_system_name = "wasm32-unknown-emscripten",
        target_cpu = "wasm32",
        target_libc = "musl",
        compiler = "emscripten",
        abi_version = "unknown",
        abi_libc_version = "unknown",
        tool_paths = [tool_path(name = name, path = path) for name, path in tools.items()],
        # Debian's Emscripten brings its libraries and headers built, and never writes to them.
        cxx_builtin_include_directories = [
            "/usr/share/emscripten/cache/sysroot/include",
            "/usr/lib/llvm-14/lib/clang",
        ],
        features = [
            feature(name = "dbg"),
            feature(name = "fastbuild"),
            feature(name = "opt"),
            feature(name = "supports_start_end_lib", enabled = False),
            compile_flags,
            link_flags,
        ],
    )

emscripten_toolchain_config = rule(
    implementation = _emscripten_toolchain_config_impl,
    provides = [CcToolchainConfigInfo],
)
