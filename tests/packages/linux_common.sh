# What the tests of packages for Linux share. Sourced by a test: leaves it in the checkout, with $work to be removed at its end.
# shellcheck shell=bash
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

fail() { printf 'FAILED: %s\n' "$*"; exit 1; }

# The bundle that the example opens, and what the converter's commands say of its user: $work/movielens.hpk,
# $work/recommend.expected, $work/rank.expected.
make_bundle() {
  local handpick model=examples/din/model
  bazel build --color=no --curses=no --noshow_progress //converter/cli:handpick
  handpick=$(bazel info bazel-bin 2>/dev/null)/converter/cli/handpick
  "$handpick" convert --spec $model/model.spec.json --weights $model/model.safetensors --catalog $model/catalog.jsonl \
    --out "$work/din.hpk" --quiet
  "$handpick" recall-index --vectors examples/item2vec/model/item2vec.npz --bundle "$work/din.hpk" --k 200 \
    --out "$work/movielens.hpk" --quiet
  "$handpick" recommend --bundle "$work/movielens.hpk" --requests examples/cmake/request.jsonl --user recent --k 200 \
    --top-k 10 --quiet >"$work/recommend.expected"
  "$handpick" rank --bundle "$work/movielens.hpk" --requests examples/cmake/request.jsonl --top-k 10 >"$work/rank.expected"
}

# What a program of the example printed, against what the converter said: the same films in the same order, scores within 1e-5.
same_films() { # printed expected
  python3 - "$1" "$2" <<'PY'
import json, sys
printed = [line.split() for line in open(sys.argv[1])]
said = json.load(open(sys.argv[2]))
expected = said.get("recommended") or said["ranked"]
assert len(expected) == 10, expected
assert [int(film) for film, _ in printed] == [item["id"] for item in expected], (printed, expected)
worst = max(abs(float(score) - item["score"]) for (_, score), item in zip(printed, expected))
assert worst <= 1e-5, worst
print(f"{sys.argv[1].rsplit('/', 1)[-1]}: the same ten films, scores within {worst:.1g}")
PY
}

# The two libraries of an unpacked package.
check_libraries() { # prefix
  python3 tests/abi/shared_library_test.py "$1/lib/libhandpick.so" "$1"/include/handpick/*.h
  python3 tests/packages/static_library.py "$1/lib/libhandpick.a" "$1"/include/handpick/*.h
  # Both in the file's head, as the linker of a program reads it.
  [ "$(readlink -f "$1/lib/libhandpick.so")" = "$(readlink -f "$1/lib/libhandpick.so.0")" ] ||
    fail "libhandpick.so and libhandpick.so.0 are not one file"
}

# The example, against a prefix: $work/build-NAME. What is left of the arguments goes to cmake.
build_example() { # name prefix cmake-options...
  local build=$work/build-$1
  cmake -S examples/cmake -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$2" "${@:3}" >"$build.log" 2>&1 &&
    cmake --build "$build" >>"$build.log" 2>&1 || { cat "$build.log"; fail "the example does not build: $1"; }
  grep -q "$2" "$build/CMakeCache.txt" || fail "$1 took another handpick"
}

needs_library() { readelf -dW "$1" | grep -q 'NEEDED.*\[libhandpick\.so\.0\]'; }

# For a processor that is not this machine's: package, look, build, run under qemu.
test_other_processor() { # target triple processor qemu
  local prefix program kind
  platforms/setup.sh linux
  platforms/package.sh "$1" "$work/package"
  mkdir "$work/unpacked"
  tar -C "$work/unpacked" -xf "$work"/package/handpick-*-"$1".tar.zst
  prefix=$(echo "$work"/unpacked/handpick-*)
  check_libraries "$prefix"
  make_bundle
  for kind in shared static; do
    build_example $kind "$prefix" -DHANDPICK_STATIC="$([ $kind = static ] && echo ON || echo OFF)" \
      -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$3" \
      -DCMAKE_C_COMPILER="$2-gcc" -DCMAKE_CXX_COMPILER="$2-g++"
    for program in recommend rank; do
      if [ $kind = shared ]; then
        needs_library "$work/build-$kind/$program" || fail "$program does not need libhandpick.so.0"
      else
        ! needs_library "$work/build-$kind/$program" || fail "$program needs libhandpick.so.0"
      fi
      "$4" -L "/usr/$2" -E "LD_LIBRARY_PATH=$prefix/lib:/usr/$2/lib" "$work/build-$kind/$program" "$work/movielens.hpk" \
        >"$work/$kind-$program"
      same_films "$work/$kind-$program" "$work/$program.expected"
    done
  done
}
