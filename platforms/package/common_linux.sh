# What the targets linux-* share. Sourced, before it is called:
#
#     linux_package NAME DEBIAN_ARCHITECTURE TRIPLE BAZEL_OPTION...    NAME: linux-x86_64
#
# Puts libhandpick, shared and static, with its headers, CMake and pkg-config files into $out: as .tar.zst, which works
# wherever it is unpacked, and as .deb.
# shellcheck shell=bash

# Third-party code in the runtime: repositories of Bazel.
linux_third_party=(com_google_absl com_github_google_flatbuffers highway xxhash xnnpack pthreadpool cpuinfo fxdiv fp16)
# Of signatures, which linux-x86_64 has none of (sdk/README.md).
# shellcheck disable=SC2154
[ "$target" = linux-x86_64 ] || linux_third_party+=(libsodium)

# Our licence, and what those of the code in the library want to be said.
write_notices() { # file
  local external name file found
  external=$(bazel info --color=no --noshow_progress output_base 2>/dev/null)/external
  {
    cat LICENSE
    for name in "${linux_third_party[@]}"; do
      [ -d "$external/$name" ] || continue
      found=
      for file in "$external/$name"/LICENSE* "$external/$name"/COPYING*; do
        [ -f "$file" ] || continue
        found=1
        printf '\n\n==== %s: %s ====\n\n' "$name" "$(basename "$file")"
        cat "$file"
      done
      [ -n "$found" ] || die "no licence in $external/$name"
    done
  } >"$1"
}

linux_template() { # file in platforms/package, folder, NAME=VALUE...
  local script=() pair
  for pair in "${@:3}"; do script+=(-e "s|@${pair%%=*}@|${pair#*=}|g"); done
  sed "${script[@]}" "platforms/package/$1" >"$2/${1%.in}"
  ! grep -n '@[A-Z_]*@' "$2/${1%.in}" || die "$1 has the names above, and they have no value"
}

# A folder as a program finds it: the prefix, the folder of libraries in it, how the latter's pkg-config file names the prefix.
linux_lay_out() { # prefix libraries pkg-config's-prefix
  local libraries=$1/$2 up
  up=$(sed 's|[^/]*|..|g' <<<"$2")
  mkdir -p "$1/include/handpick" "$libraries/cmake/handpick" "$libraries/pkgconfig"
  cp sdk/include/handpick/* "$1/include/handpick/"
  cp "$work/libhandpick.so" "$libraries/libhandpick.so.$version"
  ln -s "libhandpick.so.$version" "$libraries/libhandpick.so.0"
  ln -s libhandpick.so.0 "$libraries/libhandpick.so"
  cp "$work/libhandpick.a" "$libraries/"
  linux_template handpick-config.cmake.in "$libraries/cmake/handpick" "VERSION=$version" "TO_PREFIX=../../$up"
  linux_template handpick-config-version.cmake.in "$libraries/cmake/handpick" "VERSION=$version" \
    "POINTER_BYTES=$linux_pointer_bytes"
  linux_template handpick.pc.in "$libraries/pkgconfig" "VERSION=$version" "PREFIX=$3" "LIBRARIES=$2"
  find "$1" -type d -exec chmod 755 {} +
  find "$1" -type f -exec chmod 644 {} +
}

# The newest version of the C library that a symbol is asked for of.
linux_libc_version() {
  readelf -VW "$work/libhandpick.so" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -Vu | tail -n 1
}

linux_deb() { # architecture triple
  local root=$work/deb documents=$work/deb/usr/share/doc/libhandpick-dev
  linux_lay_out "$root/usr" "lib/$2" /usr
  mkdir -p "$documents" "$root/DEBIAN"
  cp "$work/notices" "$documents/copyright"
  chmod 644 "$documents/copyright"
  (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  # There is no address: the host is one that never exists (RFC 2606).
  cat >"$root/DEBIAN/control" <<CONTROL
Package: libhandpick-dev
Version: $version
Architecture: $1
Multi-Arch: same
Maintainer: The Handpick authors <handpick@example.invalid>
Section: libdevel
Priority: optional
Installed-Size: $(find "$root/usr" -type f -printf '%s\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
Depends: libc6 (>= $(linux_libc_version))
Description: recommendation on the device
 Opens bundles of trained recommenders, recalls and ranks items for a user.
 This is the runtime, shared and static, and what is needed to compile with it.
CONTROL
  find "$root" -type d -exec chmod 755 {} +
  chmod 644 "$root"/DEBIAN/*
  # With several threads, the compressor cuts elsewhere on another machine.
  dpkg-deb --root-owner-group --threads-max=1 -Zxz --build "$root" "$out/libhandpick-dev_${version}_$1.deb" >/dev/null
}

linux_package() {
  local name=$1 architecture=$2 triple=$3 library tool folder=$work/handpick-$version-$1
  shift 3
  for tool in dpkg-deb zstd "$triple-strip" readelf; do
    command -v "$tool" >/dev/null || missing "$tool (platforms/setup.sh linux)"
  done
  build "$@" //sdk:shared/libhandpick.so //sdk:static/libhandpick
  for library in shared/libhandpick.so static/libhandpick; do
    cp "$(built "$@" "//sdk:$library")" "$work/"
  done
  chmod u+w "$work/libhandpick.so"
  "$triple-strip" --strip-all --remove-section=.comment "$work/libhandpick.so"
  linux_pointer_bytes=8
  [ "$(readelf -hW "$work/libhandpick.so" | sed -n 's/^ *Class: *//p')" = ELF64 ] || linux_pointer_bytes=4
  write_notices "$work/notices"

  # shellcheck disable=SC2016
  linux_lay_out "$folder" lib '${pcfiledir}/../..'
  mkdir -p "$folder/share/doc/handpick"
  cp "$work/notices" "$folder/share/doc/handpick/copyright"
  chmod 644 "$folder/share/doc/handpick/copyright"
  find "$folder" -type d -exec chmod 755 {} +
  make_tar_zst "$folder" "$out/handpick-$version-$name.tar.zst"
  linux_deb "$architecture" "$triple"
}
