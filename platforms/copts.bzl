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

# For the C++ of the SDK.
SDK_COPTS = HANDPICK_COPTS + [
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    "-fno-exceptions",
    "-fno-rtti",
]
