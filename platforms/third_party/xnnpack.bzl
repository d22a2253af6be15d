"""How XNNPACK's microkernels are compiled."""

# Every switch is defined for every file, as upstream's CMake build does. Off is what gcc 12 and
# clang 14 cannot compile.
XNN_DEFINES = [
    "XNN_ENABLE_ARM_BF16=0",
    "XNN_ENABLE_ARM_DOTPROD=1",
    "XNN_ENABLE_ARM_FP16_SCALAR=1",
    "XNN_ENABLE_ARM_FP16_VECTOR=1",
    "XNN_ENABLE_ARM_I8MM=1",
    "XNN_ENABLE_ARM_SME=0",
    "XNN_ENABLE_ARM_SME2=0",
    "XNN_ENABLE_ASSEMBLY=1",
    "XNN_ENABLE_AVX256SKX=1",
    "XNN_ENABLE_AVX256VNNI=1",
    "XNN_ENABLE_AVX256VNNIGFNI=1",
    "XNN_ENABLE_AVX512AMX=0",
    "XNN_ENABLE_AVX512F=1",
    "XNN_ENABLE_AVX512FP16=0",
    "XNN_ENABLE_AVX512SKX=1",
    "XNN_ENABLE_AVX512VBMI=1",
    "XNN_ENABLE_AVX512VNNI=1",
    "XNN_ENABLE_AVX512VNNIGFNI=1",
    "XNN_ENABLE_AVXVNNI=1",
    "XNN_ENABLE_AVXVNNIINT8=0",
    "XNN_ENABLE_CPUINFO=1",
    "XNN_ENABLE_DWCONV_MULTIPASS=0",
    "XNN_ENABLE_GEMM_M_SPECIALIZATION=1",
    "XNN_ENABLE_HVX=0",
    "XNN_ENABLE_KLEIDIAI=0",
    "XNN_ENABLE_MEMOPT=1",
    "XNN_ENABLE_RISCV_FP16_VECTOR=0",
    "XNN_ENABLE_RISCV_VECTOR=0",
    "XNN_ENABLE_SPARSE=1",
    "XNN_ENABLE_VSX=0",
    "XNN_LOG_LEVEL=0",
]

_AVX2 = ["-mf16c", "-mfma", "-mavx2"]
_SKX = ["-mf16c", "-mfma", "-mavx512f", "-mavx512cd", "-mavx512bw", "-mavx512dq", "-mavx512vl"]
_UNWIND = ["-fno-asynchronous-unwind-tables"]

# The flags of each family, as in upstream's CMakeLists.txt.
SCALAR = {"scalar": ["-ffp-contract=off"]}

X86_64 = {
    "sse": ["-msse", "-mno-sse2"],
    "sse2": ["-msse2", "-mno-sse3"],
    "ssse3": ["-mssse3", "-mno-sse4.1"],
    "sse41": ["-msse4.1", "-mno-sse4.2"],
    "avx": ["-mavx", "-mno-avx2", "-mno-fma", "-mno-f16c"],
    "f16c": ["-mf16c", "-mno-avx2", "-mno-fma"],
    "fma3": ["-mf16c", "-mfma", "-mno-avx2"],
    "avx2": _AVX2,
    "avxvnni": _AVX2 + ["-mavxvnni"] + _UNWIND,
    "avx256skx": _SKX + _UNWIND,
    "avx256vnni": _SKX + ["-mavx512vnni"] + _UNWIND,
    "avx512f": ["-mavx512f"] + _UNWIND,
    "avx512skx": _SKX + _UNWIND,
    "avx512vbmi": _SKX + ["-mavx512vbmi"] + _UNWIND,
    "avx512vnni": _SKX + ["-mavx512vnni"] + _UNWIND,
    "avx512vnnigfni": _SKX + ["-mavx512vnni", "-mgfni"],
}

ARM64 = {
    "neon": [],
    "neon_aarch64": [],
    "neonfma": [],
    "neonfma_aarch64": [],
    "neonfp16": [],
    "neonv8": [],
    "fp16arith": ["-march=armv8.2-a+fp16"],
    "neonfp16arith": ["-march=armv8.2-a+fp16"],
    "neonfp16arith_aarch64": ["-march=armv8.2-a+fp16"],
    "neondot": ["-march=armv8.2-a+dotprod"],
    "neondot_aarch64": ["-march=armv8.2-a+dotprod"],
    "neondotfp16arith": ["-march=armv8.2-a+dotprod+fp16"],
    "neoni8mm": ["-march=armv8.2-a+i8mm+fp16"],
}

ARM64_ASM = {"aarch64": ["-march=armv8.2-a+fp16+dotprod"]}

# gcc has half precision only when told which; clang has no such option.
_HALF = select({
    "@platforms//os:android": [],
    "//conditions:default": ["-mfp16-format=ieee"],
})
_ARMV82 = ["-marm", "-mfpu=neon-fp-armv8"]
_FINITE = ["-ffinite-math-only"]

ARMV7 = {
    "armsimd32": ["-marm", "-march=armv6", "-mfpu=vfp", "-munaligned-access"],
    "neon": ["-marm", "-march=armv7-a", "-mfpu=neon"],
    "neonfp16": ["-marm", "-march=armv7-a", "-mfpu=neon-fp16"] + _HALF,
    "neonfma": ["-marm", "-march=armv7-a", "-mfpu=neon-vfpv4"],
    "neonv8": ["-marm", "-march=armv8-a", "-mfpu=neon-fp-armv8"],
    "fp16arith": _ARMV82 + ["-march=armv8.2-a+fp16"] + _FINITE + _HALF,
    "neonfp16arith": _ARMV82 + ["-march=armv8.2-a+fp16"] + _HALF,
    "neondot": _ARMV82 + ["-march=armv8.2-a+dotprod"],
    "neondotfp16arith": _ARMV82 + ["-march=armv8.2-a+dotprod+fp16"] + _FINITE + _HALF,
}

ARMV7_ASM = {"aarch32": ["-marm", "-march=armv8.2-a+dotprod+fp16", "-mfpu=neon-fp-armv8"]}

_FILES_PER_UNIT = 40

def xnnpack_microkernels(families, srcs_for, prefix = ""):
    """A cc_library "microkernels_<prefix><family>" for each family, and the list of their labels.

    The files of a family are compiled some dozens at a time: most of the time that a microkernel
    takes to compile goes into its headers.

    Args:
      families: {family: compiler flags}
      srcs_for: function from family to its C files
      prefix: tells families of one name, of two processors, apart
    """
    for family, flags in families.items():
        srcs = srcs_for(family)
        units = []
        for first in range(0, len(srcs), _FILES_PER_UNIT):
            unit = "unit_%s_%d" % (prefix + family, first // _FILES_PER_UNIT)
            native.genrule(
                name = unit,
                outs = [unit + ".c"],
                cmd = "printf '#include \"%s\"\\n' " +
                      " ".join(srcs[first:first + _FILES_PER_UNIT]) + " > $@",
            )
            units.append(unit + ".c")
        native.cc_library(
            name = "microkernels_" + prefix + family,
            srcs = units,
            copts = ["-std=c99", "-O2", "-fno-math-errno"] + flags,
            linkstatic = True,
            textual_hdrs = srcs,
            deps = [
                ":headers",
                ":tables",
            ],
        )
    return [":microkernels_" + prefix + family for family in families]

def xnnpack_assembly(families, srcs_for):
    for family, flags in families.items():
        native.cc_library(
            name = "assembly_" + family,
            srcs = srcs_for(family),
            copts = flags,
            linkstatic = True,
            deps = [":headers"],
        )
    return [":assembly_" + family for family in families]

# The kernels of float32 products alone, without what XNNPACK has around them: {"rows x outputs": the rest of the name}, by
# compiler flags. sdk/kernels/gemm_kernels.cc chooses among them.
GEMM_X86_64 = [
    (["-msse", "-mno-sse2"], ["1x8__sse_load1", "4x8__sse_load1"]),
    (X86_64["avx"], ["1x16__avx_broadcast", "5x16__avx_broadcast"]),
    (X86_64["fma3"], ["1x16__fma3_broadcast", "5x16__fma3_broadcast"]),
    (X86_64["avx512f"], ["1x32__avx512f_broadcast", "7x32__avx512f_broadcast"]),
]

GEMM_ARM64 = [
    (ARM64_ASM["aarch64"], [
        "1x8__asm_aarch64_neonfma_ld128_acc4",
        "6x8__asm_aarch64_neonfma_ld128",
        "6x8__asm_aarch64_neonfma_cortex_a53_prfm",
        "6x8__asm_aarch64_neonfma_cortex_a55",
    ]),
]

GEMM_ARMV7 = [
    (ARMV7_ASM["aarch32"], [
        "1x8__asm_aarch32_neon_cortex_a53",
        "4x8__asm_aarch32_neon_cortex_a75",
    ]),
]

def xnnpack_gemm(name, families):
    """A cc_library of the kernels of `families`, each named handpick_gemm_<kernel>.

    The linker of an app with an XNNPACK of its own would else see each of them twice.
    """
    libraries = []
    for i, (flags, kernels) in enumerate(families):
        units = []
        sources = []
        for kernel in kernels:
            shape, rest = kernel.split("__")
            suffix = ".S" if "asm_" in rest else ".c"
            source = "src/f32-gemm/gen/f32-gemm-%s-minmax-%s%s" % (shape, rest.replace("_", "-"), suffix)
            unit = "gemm/" + kernel + suffix
            native.genrule(
                name = unit + "_unit",
                outs = [unit],
                cmd = "printf '#define xnn_f32_gemm_minmax_ukernel_%s handpick_gemm_%s\\n#include \"%s\"\\n' > $@" %
                      (kernel, kernel, source),
            )
            sources.append(source)
            units.append(unit)
        native.cc_library(
            name = "%s_%d" % (name, i),
            srcs = units,
            copts = ([] if suffix == ".S" else ["-std=c99"]) + [
                "-O2",
                "-fno-math-errno",
                "-fno-asynchronous-unwind-tables",
                "-fvisibility=hidden",
            ] + flags,
            linkstatic = True,
            textual_hdrs = sources,
            deps = [":kernel_headers"],
        )
        libraries.append(":%s_%d" % (name, i))
    native.cc_library(name = name, deps = libraries)
