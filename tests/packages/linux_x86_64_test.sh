#!/usr/bin/env bash
# The package for Linux on x86-64: the same bytes twice; what it shows and needs; installed in an empty root, where programs
# run that were built against it by CMake and with pkg-config, static and shared.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/linux_common.sh"
platforms/setup.sh linux
if [ "$(uname -m)" != x86_64 ] || [ "$(id -u)" != 0 ]; then
  echo "an x86-64 machine, and root for chroot, are needed"
  exit 77
fi

platforms/package.sh linux-x86_64 "$work/package"
platforms/package.sh linux-x86_64 "$work/again"
diff -r "$work/package" "$work/again"
mkdir "$work/unpacked"
tar -C "$work/unpacked" -xf "$work"/package/handpick-*-linux-x86_64.tar.zst
prefix=$(echo "$work"/unpacked/handpick-*)
check_libraries "$prefix"
make_bundle

# A root with a C and a C++ library and nothing else; dpkg there knows of them.
root=$work/root
debian=$work/debian
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/tmp" "$debian"
chmod 777 "$debian"
(cd "$debian" && apt-get -qq -o APT::Sandbox::User=root download libc6 libgcc-s1 libstdc++6)
for deb in "$debian"/*.deb; do
  dpkg-deb -x "$deb" "$root"
  dpkg-deb -f "$deb" Package Version Architecture Multi-Arch Maintainer Description
  printf 'Status: install ok installed\n\n'
done >"$root/var/lib/dpkg/status"
dpkg --root="$root" --log=/dev/null -i "$work"/package/libhandpick-dev_*_amd64.deb >"$work/dpkg.log" 2>&1 ||
  { cat "$work/dpkg.log"; fail "the package does not install"; }
dpkg --root="$root" --verify libhandpick-dev
cmp "$(readlink -f "$prefix/lib/libhandpick.so")" "$root"/usr/lib/x86_64-linux-gnu/libhandpick.so.0
cp "$work/movielens.hpk" "$root/tmp/"
# What the kernel says of its processors: XNNPACK does not run where it cannot read that. Copies, since a container may not mount.
mkdir -p "$root/proc" "$root/sys/devices/system/cpu"
cat /proc/cpuinfo >"$root/proc/cpuinfo"
for file in possible present; do cat "/sys/devices/system/cpu/$file" >"$root/sys/devices/system/cpu/$file"; done

runs_in_root() { # program expected
  cp "$work/$1" "$root/tmp/program"
  chroot "$root" /tmp/program /tmp/movielens.hpk >"$work/printed"
  same_films "$work/printed" "$work/$2.expected"
}

# Against what dpkg installed, as on a machine where it is installed for good.
build_example shared "$root/usr"
build_example static "$root/usr" -DHANDPICK_STATIC=ON
for program in recommend rank; do
  needs_library "$work/build-shared/$program" || fail "$program does not need libhandpick.so.0"
  ! needs_library "$work/build-static/$program" || fail "$program needs libhandpick.so.0"
  runs_in_root "build-shared/$program" $program
  runs_in_root "build-static/$program" $program
done
# The program's C++ library is its own: the one in C needs none, with either library.
for program in build-shared/recommend build-static/recommend; do
  ! readelf -dW "$work/$program" | grep -q 'libstdc++' || fail "$program needs libstdc++"
done

# Against the unpacked archive, after it was moved.
mv "$prefix" "$work/moved"
prefix=$work/moved
build_example moved "$prefix"
LD_LIBRARY_PATH=$prefix/lib "$work/build-moved/recommend" "$work/movielens.hpk" >"$work/moved.printed"
same_films "$work/moved.printed" "$work/recommend.expected"

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
[ "$(pkg-config --modversion handpick)" = "$(sed -n 's/^  filled.version = "\(.*\)";$/\1/p' sdk/api/diagnostics.cc)" ] ||
  fail "pkg-config tells another version"
# shellcheck disable=SC2046
cc examples/cmake/recommend.c -o "$work/by_pkg_config" $(pkg-config --cflags --libs handpick)
LD_LIBRARY_PATH=$prefix/lib "$work/by_pkg_config" "$work/movielens.hpk" >"$work/by_pkg_config.printed"
same_films "$work/by_pkg_config.printed" "$work/recommend.expected"
# Wholly static, which takes libhandpick.a by its plain name.
# shellcheck disable=SC2046
cc -static examples/cmake/recommend.c -o "$work/all_static" $(pkg-config --static --cflags --libs handpick)
runs_in_root all_static recommend

# What CMake is told of versions and parts.
asks() { # arguments of find_package
  mkdir -p "$work/asks"
  printf 'cmake_minimum_required(VERSION 3.13)\nproject(asks C)\nfind_package(handpick %s)\n%s\n' "$1" \
    'get_target_property(linked handpick::handpick INTERFACE_LINK_LIBRARIES)
message(STATUS "linked: ${linked}")' >"$work/asks/CMakeLists.txt"
  rm -rf "$work/asks/build"
  cmake -S "$work/asks" -B "$work/asks/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/asks.log" 2>&1
}
asks '0.1 CONFIG REQUIRED COMPONENTS static' && grep -q 'linked: handpick::static' "$work/asks.log" || fail "COMPONENTS static"
asks '0.1 CONFIG REQUIRED COMPONENTS shared' && grep -q 'linked: handpick::shared' "$work/asks.log" || fail "COMPONENTS shared"
! asks '0.1 CONFIG REQUIRED COMPONENTS python' && grep -q "no component 'python'" "$work/asks.log" || fail "an unknown component"
! asks '9.0 CONFIG REQUIRED' || fail "version 9.0 was found"
! asks '1.0 CONFIG REQUIRED' || fail "version 1.0 was found"
