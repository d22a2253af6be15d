"""Compiler options of our own code. Third-party code does not use these."""

# For C and C++, gcc and clang. Headers of third-party libraries are system headers to gcc: their
# cc_library has `includes`; Abseil's has not, so its folder is named here.
HANDPICK_COPTS = [
    "-isystemexternal/com_google_absl",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wshadow",
    "-Wcast-qual",
    "-Wimplicit-fallthrough",
    "-Wvla",
    "-Wwrite-strings",
]

# For the C++ of the SDK. Nothing but the C API, which is marked, is for others to call.
SDK_COPTS = HANDPICK_COPTS + [
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    "-fno-exceptions",
    "-fno-rtti",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
]

# For tests and what they share; the code under test keeps its own options. -O1 takes a quarter less time to compile
# than -O2.
TEST_COPTS = HANDPICK_COPTS + ["-O1"]

def _without(part, target):
    """Highway's target is left out where --define handpick_<part>=off."""
    macro = "-DHANDPICK_WITHOUT_" + part.upper()
    return select({
        "//platforms:%s_off" % part: ["%s=%s" % (macro, target)],
        "//conditions:default": [macro + "=0"],
    })

# For files that multiply int8 layers, or say that the library does not: --define handpick_int8=off.
INT8_COPTS = select({
    "//platforms:int8_off": ["-DHANDPICK_WITHOUT_INT8=1"],
    "//conditions:default": ["-DHANDPICK_WITHOUT_INT8=0"],
})

# For files that use Highway: compiled for SSE2 (what every x86-64 has), SSE4, AVX2 and AVX-512 with
# VNNI, or once for NEON. The targets between bring little, and each costs its code once more: HWY_NEON and
# HWY_NEON_BF16 would be the same instructions again (kernels/dot_product.h asks for what is in neither).
SIMD_COPTS = [
    "-DHWY_WANT_AVX3_DL",
    "-DHWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_AVX3|HWY_AVX3_ZEN4|HWY_AVX3_SPR|HWY_NEON|HWY_NEON_BF16|HWY_ALL_SVE|" +
    "HANDPICK_WITHOUT_SSE4|HANDPICK_WITHOUT_AVX2|HANDPICK_WITHOUT_AVX512)",
    # clang's, of functions that some of the sets do not call.
    "-Wno-unneeded-internal-declaration",
] + _without("sse4", "HWY_SSE4") + _without("avx2", "HWY_AVX2") + _without("avx512", "HWY_AVX3_DL") + INT8_COPTS
