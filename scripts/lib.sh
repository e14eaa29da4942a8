# Shared by scripts/run and scripts/test: finding and installing what is missing. POSIX sh, sourced.

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND…: directly as root, through sudo when it asks for no password, else not at all
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif have sudo && sudo -n true 2>/dev/null; then sudo "$@"
  else return 1
  fi
}

# install PACKAGE…: Debian packages that are not installed yet
install() {
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  if ! have apt-get; then
    die "please install the equivalents of these Debian packages:$missing"
  fi
  say "installing:$missing"
  # word splitting is wanted: a list of packages
  # shellcheck disable=SC2086
  { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing; } >&2 \
    || die "could not install; please run: apt-get update && apt-get install$missing"
}

need_rust() {
  if ! have cargo && [ -f "$HOME/.cargo/env" ]; then
    # shellcheck disable=SC1091
    . "$HOME/.cargo/env"
  fi
  have cargo || die "Rust is missing. Install it with: curl https://sh.rustup.rs -sSf | sh"
  minimum=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  version=$(rustc --version | cut -d' ' -f2)
  oldest=$(printf '%s\n%s\n' "$minimum" "$version" | sort -V | head -n 1)
  [ "$oldest" = "$minimum" ] || die "Rust $version is older than $minimum. Update it with: rustup update stable"
}

# a C compiler for the embedded SQLite, OpenSSL's headers for TLS towards mail servers
need_build_tools() {
  if ! have cc || ! have pkg-config || ! pkg-config --exists openssl 2>/dev/null; then
    install build-essential pkg-config libssl-dev
  fi
}
