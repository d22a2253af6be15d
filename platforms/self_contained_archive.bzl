"""A static library that another build can link: one object, in which the names of the interface alone can be seen."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _self_contained_archive_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    roots = []
    libraries = []
    for dep in ctx.attr.deps:
        for linker_input in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in linker_input.libraries:
                file = library.pic_static_library or library.static_library
                if file == None:
                    continue
                if library.alwayslink:
                    roots.append(file)
                else:
                    libraries.append(file)
    output = ctx.actions.declare_file(ctx.attr.name + ".a")
    arguments = ctx.actions.args()
    arguments.add(output)
    arguments.add(ctx.attr.symbols)
    arguments.add_all([
        toolchain.compiler_executable,
        toolchain.nm_executable,
        toolchain.objcopy_executable,
        toolchain.strip_executable,
        toolchain.ar_executable,
    ])
    arguments.add_all(roots)
    arguments.add("--")
    arguments.add_all(libraries)
    ctx.actions.run(
        executable = ctx.executable._make,
        arguments = [arguments],
        inputs = depset(roots + libraries + [ctx.file._plain_symbols], transitive = [toolchain.all_files]),
        outputs = [output],
        mnemonic = "SelfContainedArchive",
        progress_message = "Making %{output}",
        # The compiler finds its linker by the path.
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([output]))]

self_contained_archive = rule(
    implementation = _self_contained_archive_impl,
    attrs = {
        "deps": attr.label_list(
            mandatory = True,
            providers = [CcInfo],
            doc = "what is in it: of alwayslink libraries the functions named by `symbols`, and what those call",
        ),
        "symbols": attr.string(mandatory = True, doc = "what can be seen, a pattern of the shell: hp_*"),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
        "_make": attr.label(
            default = "//platforms:self_contained_archive.sh",
            allow_single_file = True,
            executable = True,
            cfg = "host",
        ),
        "_plain_symbols": attr.label(default = "//platforms:plain_symbols.py", allow_single_file = True),
    },
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
    doc = "NAME.a, for GNU's linker: no name in it but those of `symbols` can meet one of the app's, or of a library of the app's.",
)
