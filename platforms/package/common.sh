# What the targets of platforms/package.sh share. Sourced: a target's own file puts what it makes into $out.
#
#     $root     the checkout, and the current folder
#     $out      what will be the target's folder
#     $work     scratch, removed at the end
#     $version  of the library: 1.2.3
# shellcheck shell=bash

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/out
mkdir "$out"
# shellcheck disable=SC2034
version=$(sed -n 's/^  filled.version = "\(.*\)";$/\1/p' sdk/api/diagnostics.cc)

# Every time stamp in a package: that of the zip format's first day, in UTC.
export SOURCE_DATE_EPOCH=315532800 TZ=UTC LC_ALL=C

say() { printf 'package: %s\n' "$*"; }
die() { printf 'package: %s\n' "$*" >&2; exit 1; }

# Something that this target can't do without: what it is, and where one gets it.
missing() { printf "package: missing for '%s': %s\n" "$target" "$*" >&2; exit 3; }

build() { # Bazel's options and targets
  bazel build --color=no --curses=no --noshow_progress "$@"
}

# Where a target's file is, built with the same options.
built() { # options... target
  bazel cquery --color=no --curses=no --noshow_progress --output=starlark \
    --starlark:expr='"\n".join([f.path for f in target.files.to_list()])' "$@" 2>/dev/null
}

# A folder as .tar.zst: names in order, no owner, one time stamp.
make_tar_zst() { # folder file
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=ustar \
    -C "$(dirname "$1")" -cf - "$(basename "$1")" | zstd -q -19 -T1 -o "$2"
}

# What is in a folder as .zip (and .aar, .jar, .whl): names in order, one time stamp. The names in the file STORED are not compressed.
make_zip() { # folder file [stored]
  python3 platforms/package/make_zip.py "$@"
}

write_manifest() { # folder target
  python3 platforms/package/manifest.py "$@"
}
