"""C++ headers from FlatBuffers schemas, by the flatc that is built from the pin."""

_FLATC_ARGS = [
    "--cpp",
    "--cpp-std c++17",
    "--scoped-enums",
    "--gen-object-api",
]

def flatbuffer_cc_library(name, srcs, includes = [], flatc_args = [], deps = [], **kwargs):
    """A header library: bundle.fbs in package schema is included as "schema/bundle_generated.h".

    Args:
      name: name of the cc_library.
      srcs: .fbs files, each giving <stem>_generated.h next to it. A schema that includes another
        names it from the root of the workspace.
      includes: .fbs files that these include.
      flatc_args: further arguments of flatc.
      deps: other flatbuffer_cc_library targets whose headers these include.
      **kwargs: passed to the cc_library.
    """
    headers = [src[:-len(".fbs")] + "_generated.h" for src in srcs]
    native.genrule(
        name = name + "_flatc",
        srcs = srcs + includes,
        outs = headers,
        # Generated code is compiled without our warnings; and what it verifies with is the caller's to
        # choose, since FlatBuffers' own class can't be derived from (schema/bundle_verifier.h).
        cmd = " ".join(
            ["$(execpath @com_github_google_flatbuffers//:flatc)"] + _FLATC_ARGS + flatc_args +
            ["-I . -o $(RULEDIR)"] + ["$(location %s)" % src for src in srcs] + ["&&"] +
            ["sed -i -e '1i #pragma GCC system_header'"] +
            ["-e 's/^  bool Verify(::flatbuffers::Verifier &verifier) const/" +
             "  template <typename AnyVerifier> bool Verify(AnyVerifier \\&verifier) const/' $(OUTS)"],
        ),
        tools = ["@com_github_google_flatbuffers//:flatc"],
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        hdrs = headers,
        deps = ["@com_github_google_flatbuffers//:flatbuffers"] + deps,
        **kwargs
    )
