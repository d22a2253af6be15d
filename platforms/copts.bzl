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

# For files that use Highway: compiled for SSE2 (what every x86-64 has), SSE4, AVX2 and AVX-512 with
# VNNI, or for NEON. The targets between bring little, and each costs its code once more.
SIMD_COPTS = [
    "-DHWY_WANT_AVX3_DL",
    "-DHWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_AVX3|HWY_AVX3_ZEN4|HWY_AVX3_SPR|HWY_ALL_SVE)",
]
