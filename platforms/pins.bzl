"""The one table of third-party sources.

Plain literals only: Bazel loads this file and platforms/setup.sh reads it as Python.

Each pin is one source at one commit, obtainable in two ways:

  url, sha256, strip_prefix    upstream's archive of that commit
  debian                       Debian's source tarball of the same commit:
                               (source package, file name, sha256, strip_prefix)

and prepared in the same way whichever it was:

  build_file    BUILD file that replaces the one in the root of the source
  drop          files to delete (BUILD files of the source that are in the way)
  edit          {file: [[old text, new text], ...]}; old text that is not there is an error
  comment       where the two tarballs differ in more than packing

platforms/README.md tells how to move a pin.
"""

PINS = {
    "bazel_skylib": {
        "url": "https://github.com/bazelbuild/bazel-skylib/archive/refs/tags/1.0.3.tar.gz",
        "sha256": "7ac0fa88c0c4ad6f5b9ffb5e09ef81e235492c873659e6bb99efb89d11246bcb",
        "strip_prefix": "bazel-skylib-1.0.3",
        "debian": [
            "bazel-skylib",
            "bazel-skylib_1.0.3.orig.tar.xz",
            "b22f0f38d9a1ac565fce8a43df3d284f6b8e5e8775bda54b5cb687bed46b6ea4",
            "bazel-skylib-1.0.3",
        ],
    },
    "com_google_absl": {
        "url": "https://github.com/abseil/abseil-cpp/archive/4447c7562e3bc702ade25105912dce503f0c4010.tar.gz",
        "sha256": "df8b3e0da03567badd9440377810c39a38ab3346fa89df077bb52e68e4d61e74",
        "strip_prefix": "abseil-cpp-4447c7562e3bc702ade25105912dce503f0c4010",
        "debian": [
            "abseil",
            "abseil_20240722.0.orig.tar.gz",
            "df6d1f5ef540725f3851201176a60486aab332410788465c9877910bb471c34a",
            "abseil-20240722.0",
        ],
        # The @platforms that Bazel 4 carries knows no wasm processors.
        "edit": {
            "absl/BUILD.bazel": [
                [
                    'constraint_values = [\n        "@platforms//cpu:wasm32",\n    ]',
                    'values = {"cpu": "platforms_wasm32"}',
                ],
                [
                    'constraint_values = [\n        "@platforms//cpu:wasm64",\n    ]',
                    'values = {"cpu": "platforms_wasm64"}',
                ],
            ],
        },
    },
    "com_google_googletest": {
        "url": "https://github.com/google/googletest/archive/refs/tags/release-1.12.1.tar.gz",
        "sha256": "81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2",
        "strip_prefix": "googletest-release-1.12.1",
        "debian": [
            "googletest",
            "googletest_1.12.1.orig.tar.gz",
            "81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2",
            "googletest-release-1.12.1",
        ],
    },
    "com_github_google_benchmark": {
        "url": "https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz",
        "sha256": "6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7",
        "strip_prefix": "benchmark-1.7.1",
        "debian": [
            "benchmark",
            "benchmark_1.7.1.orig.tar.gz",
            "6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7",
            "benchmark-1.7.1",
        ],
        "build_file": "//platforms/third_party:benchmark.BUILD",
    },
    "com_github_google_flatbuffers": {
        "url": "https://github.com/google/flatbuffers/archive/refs/tags/v23.5.26.tar.gz",
        "sha256": "1cce06b17cddd896b6d73cc047e36a254fb8df4d7ea18a46acf16c4c0cd3f3f3",
        "strip_prefix": "flatbuffers-23.5.26",
        "debian": [
            "flatbuffers",
            "flatbuffers_23.5.26+dfsg.orig.tar.xz",
            "0d309fd2c47bbbebd450e68d1419c336d53d1b8f5ce47e1f1f7f28f452fc6f3b",
            "flatbuffers-23.5.26+dfsg",
        ],
        "comment": "Debian leaves out generated JavaScript, which nothing here uses.",
        "build_file": "//platforms/third_party:flatbuffers.BUILD",
        "drop": ["src/BUILD.bazel"],
    },
    "nlohmann_json": {
        "url": "https://github.com/nlohmann/json/archive/refs/tags/v3.11.2.tar.gz",
        "sha256": "d69f9deb6a75e2580465c6c4c5111b89c4dc2fa94e3a85fcd2ffcd9a143d9273",
        "strip_prefix": "json-3.11.2",
        "debian": [
            "nlohmann-json3",
            "nlohmann-json3_3.11.2.orig.tar.gz",
            "d69f9deb6a75e2580465c6c4c5111b89c4dc2fa94e3a85fcd2ffcd9a143d9273",
            "json-3.11.2",
        ],
        "build_file": "//platforms/third_party:json.BUILD",
    },
    "xxhash": {
        "url": "https://github.com/Cyan4973/xxHash/archive/refs/tags/v0.8.1.tar.gz",
        "sha256": "3bb6b7d6f30c591dd65aaaff1c8b7a5b94d81687998ca9400082c739a690436c",
        "strip_prefix": "xxHash-0.8.1",
        "debian": [
            "xxhash",
            "xxhash_0.8.1.orig.tar.gz",
            "3bb6b7d6f30c591dd65aaaff1c8b7a5b94d81687998ca9400082c739a690436c",
            "xxHash-0.8.1",
        ],
        "build_file": "//platforms/third_party:xxhash.BUILD",
    },
    "libsodium": {
        "url": "https://github.com/jedisct1/libsodium/archive/1.0.18.tar.gz",
        "sha256": "d59323c6b712a1519a5daf710b68f5e7fde57040845ffec53850911f10a5d4f4",
        "strip_prefix": "libsodium-1.0.18",
        "debian": [
            "libsodium",
            "libsodium_1.0.18.orig.tar.gz",
            "d59323c6b712a1519a5daf710b68f5e7fde57040845ffec53850911f10a5d4f4",
            "libsodium-1.0.18",
        ],
        "build_file": "//platforms/third_party:libsodium.BUILD",
        # Keys are not made here: what makes one would bring the generators of random bytes of all systems.
        "edit": {
            "src/libsodium/crypto_sign/ed25519/ref10/keypair.c": [
                ["    randombytes_buf(seed, sizeof seed);\n    ret = crypto_sign_ed25519_seed_keypair(pk, sk, seed);", "    ret = -1;"],
            ],
        },
    },
    "zlib": {
        "url": "https://github.com/madler/zlib/archive/refs/tags/v1.3.1.tar.gz",
        "sha256": "17e88863f3600672ab49182f217281b6fc4d3c762bde361935e436a95214d05c",
        "strip_prefix": "zlib-1.3.1",
        "debian": [
            "zlib",
            "zlib_1.3.dfsg+really1.3.1.orig.tar.gz",
            "60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb",
            "zlib-1.3.1",
        ],
        "comment": "Debian leaves out most of contrib/; contrib/minizip is there.",
        "build_file": "//platforms/third_party:zlib.BUILD",
    },
    "highway": {
        "url": "https://github.com/google/highway/archive/refs/tags/1.2.0.tar.gz",
        "sha256": "7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343",
        "strip_prefix": "highway-1.2.0",
        "debian": [
            "highway",
            "highway_1.2.0.orig.tar.gz",
            "7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343",
            "highway-1.2.0",
        ],
        "build_file": "//platforms/third_party:highway.BUILD",
    },
    "xnnpack": {
        "url": "https://github.com/google/XNNPACK/archive/4ea82e595b36106653175dcb04b2aa532660d0d8.tar.gz",
        "sha256": "3ef066f2f9b8ac474cd3fd606c601a30bbab59a56406c69019610339f02b6032",
        "strip_prefix": "XNNPACK-4ea82e595b36106653175dcb04b2aa532660d0d8",
        "debian": [
            "xnnpack",
            "xnnpack_0.0~git20241108.4ea82e5.orig.tar.xz",
            "90bde2caef0f880f627bab0dc805a86c4b8070cd98e3243db3046ab3f3be1a99",
            "",
        ],
        "build_file": "//platforms/third_party:xnnpack.BUILD",
    },
    "cpuinfo": {
        "url": "https://github.com/pytorch/cpuinfo/archive/877328f188a3c7d1fa855871a278eb48d530c4c0.tar.gz",
        "sha256": "5ceb68cc713cebd0a299f6f852ce6fed2dd80b62510f6e5e82cbbdc8fa91b710",
        "strip_prefix": "cpuinfo-877328f188a3c7d1fa855871a278eb48d530c4c0",
        "debian": [
            "cpuinfo",
            "cpuinfo_0.0~git20250905.877328f.orig.tar.xz",
            "557ca404a3836b9f335a3a06b65ff9fe9dbaaefab7fb5c0185f53d9f33615a10",
            "cpuinfo-0.0~git20250905.877328f",
        ],
        "build_file": "//platforms/third_party:cpuinfo.BUILD",
    },
    "pthreadpool": {
        "url": "https://github.com/google/pthreadpool/archive/560c60d342a76076f0557a3946924c6478470044.tar.gz",
        "sha256": "8d8ebab96df6aa12922643060e72c43bfdca9fd80cf5aacaf7391bc6850560a3",
        "strip_prefix": "pthreadpool-560c60d342a76076f0557a3946924c6478470044",
        "debian": [
            "pthreadpool",
            "pthreadpool_0.0~git20240616.560c60d.orig.tar.xz",
            "4cc3cbd933b28131d2a34edc54f76af9fb41bc490af5eae1a5bd3cd07ea90708",
            "pthreadpool-0.0~git20240616.560c60d",
        ],
        "build_file": "//platforms/third_party:pthreadpool.BUILD",
    },
    "fxdiv": {
        "url": "https://github.com/Maratyszcza/FXdiv/archive/b408327ac2a15ec3e43352421954f5b1967701d1.tar.gz",
        "sha256": "9ccf554541666b5c089ad5dd465141d671c99971f36d72f313652f5c49ffce14",
        "strip_prefix": "FXdiv-b408327ac2a15ec3e43352421954f5b1967701d1",
        "debian": [
            "fxdiv",
            "fxdiv_0.0~git20200417.b408327.orig.tar.xz",
            "7953482badaf4cb34026c3487c257b8e4ab2df061c019bd6fabbbc12ad52c44b",
            "fxdiv-0.0~git20200417.b408327",
        ],
        "build_file": "//platforms/third_party:fxdiv.BUILD",
    },
    "fp16": {
        "url": "https://github.com/Maratyszcza/FP16/archive/4dfe081cf6bcd15db339cf2680b9281b8451eeb3.tar.gz",
        "sha256": "90f20492621d5ed80b442aa682ff92d7ccf333ac8fac4a10e7e02afb159f3c13",
        "strip_prefix": "FP16-4dfe081cf6bcd15db339cf2680b9281b8451eeb3",
        "debian": [
            "fp16",
            "fp16_0.0~git20200514.4dfe081.orig.tar.xz",
            "7d7782b37b74136e0e12593a2a93ccbe7db831f4374cc408e44623d9b708b54e",
            "fp16-0.0~git20200514.4dfe081",
        ],
        "build_file": "//platforms/third_party:fp16.BUILD",
    },
}
