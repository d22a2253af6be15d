#!/usr/bin/env bash
# Swift on Debian 12, which has none: the compiler of the next Debian, with the libraries that it needs, in a folder of its own.
# Nothing of this machine changes.
#
#     platforms/swift_root.sh make              fetches and unpacks it (0.5 GB, unpacked 2.5 GB), unless it is there
#     platforms/swift_root.sh run FOLDER COMMAND...   runs a command in it, as root; FOLDER is /work there
#
# setup.sh's group `swift` calls the first.
set -euo pipefail

cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/handpick
root=$cache/swift-root
suite=trixie
packages=(swiftlang libc6-dev libstdc++-14-dev coreutils)

say() { printf 'swift_root: %s\n' "$*"; }
die() { printf 'swift_root: %s\n' "$*" >&2; exit 1; }

debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' \
    'Identifier: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null | sed -n 1p
}

# Debian's signatures are checked as ever. A release's list may be older than it says that it should be.
make() {
  [ ! -f "$root/.complete" ] || return 0
  command -v apt-get >/dev/null || die "needs apt-get"
  local apt=$cache/swift-apt mirror archive
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || die "apt knows no Debian mirror"
  rm -rf "$root" "$apt"
  mkdir -p "$root" "$apt"/{etc,lists/partial,archives/partial,none}
  : >"$apt/status"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" >"$apt/etc/sources.list"
  cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/etc/sources.list";
Dir::Etc::sourceparts "$apt/none";
Dir::Etc::preferencesparts "$apt/none";
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
CONF
  say "fetching Swift of Debian $suite"
  APT_CONFIG=$apt/apt.conf apt-get -qq update >"$apt/log" 2>&1 &&
    APT_CONFIG=$apt/apt.conf apt-get -qq install -y --download-only "${packages[@]}" </dev/null >>"$apt/log" 2>&1 ||
    { tail -n 30 "$apt/log" >&2; die "could not fetch ${packages[*]}"; }
  for archive in "$apt"/archives/*.deb; do
    # All but the debugger, which is a fifth of it.
    dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$root" --exclude='*lldb*' --exclude='./usr/share/doc' --exclude='./usr/share/man'
  done
  local name
  for name in bin lib lib64 sbin; do [ -e "$root/$name" ] || ln -s "usr/$name" "$root/$name"; done
  mkdir -p "$root"/{dev,proc,tmp,work}
  rm -rf "$apt"
  : >"$root/.complete"
  say "Swift is in $root"
}

# What is mounted is so for the command alone.
run() { # folder command...
  [ -f "$root/.complete" ] || die "there is no Swift: platforms/setup.sh swift"
  local folder=$1
  shift
  unshare --mount --pid --fork --kill-child bash -c '
    set -e
    mount -t proc proc "$0/proc"
    mount --bind /dev "$0/dev"
    mount --bind "$1" "$0/work"
    shift
    exec env -i PATH=/usr/bin HOME=/tmp LC_ALL=C.UTF-8 /usr/sbin/chroot "$0" env -C /work "$@"' "$root" "$folder" "$@"
}

case ${1-} in
  make) make ;;
  run) shift; run "$@" ;;
  *) die "make, or run FOLDER COMMAND..." ;;
esac
