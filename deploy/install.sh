#!/bin/sh
# Installs claude-proxy on Linux or macOS: see --help. Nothing is downloaded but what a build from this clone needs.
set -eu

usage() {
  cat <<'HELP'
usage: deploy/install.sh [OPTIONS] [BINARY]

Puts BINARY (else one built from this clone) into /usr/local/bin as root, else into ~/.local/bin, and writes first
settings if there are none. Again, it replaces the binary and leaves settings alone.

  --prefix DIR      DIR/bin in place of /usr/local/bin or ~/.local/bin
  --provider NAME   first settings for this provider: deepseek, openai, ollama... (claude-proxy init --help)
  --systemd         also a service: of the system as root, else of yours (systemctl --user)
  --uninstall       take binary and services away; settings and statistics stay
  --dry-run         only say what would be done
  --help            this text

  sudo deploy/install.sh --systemd --provider deepseek
HELP
}

say() { printf '%s\n' "$*"; }
die() {
  printf 'install.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

# Does it, or only says so.
act() {
  if [ -n "$dry" ]; then
    say "would: $*"
  else
    "$@"
  fi
}

binary='' prefix='' provider='' service='' uninstall='' dry=''
while [ $# -gt 0 ]; do
  case $1 in
    --prefix | --provider)
      [ -n "${2:-}" ] || die "$1 needs a value; see --help" 2
      if [ "$1" = --prefix ]; then prefix=$2; else provider=$2; fi
      shift
      ;;
    --prefix=?*) prefix=${1#*=} ;;
    --provider=?*) provider=${1#*=} ;;
    --systemd) service=yes ;;
    --uninstall) uninstall=yes ;;
    --dry-run) dry=yes ;;
    -h | --help)
      usage
      exit 0
      ;;
    -*) die "unknown option $1; see --help" 2 ;;
    *)
      [ -z "$binary" ] || die "one binary can be installed, not $binary and $1" 2
      binary=$1
      ;;
  esac
  shift
done

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
case $(uname -s) in
  Linux | Darwin) ;;
  *) die "this is for Linux and macOS; on Windows put claude-proxy.exe into a folder of your PATH" ;;
esac

# As root for the whole system, else for whoever calls.
root=''
[ "$(id -u)" -ne 0 ] || root=yes
if [ -z "$prefix" ]; then
  if [ -n "$root" ]; then
    prefix=/usr/local
  else
    prefix=${HOME:?is not set: give --prefix}/.local
  fi
fi
case $prefix in
  /*) ;;
  *) prefix=$(pwd)/$prefix ;;
esac
target=$prefix/bin/claude-proxy

if [ -n "$root" ]; then
  unit=/etc/systemd/system/claude-proxy.service
  source=$here/claude-proxy.service
  manage() { act systemctl "$@"; }
else
  unit=${XDG_CONFIG_HOME:-${HOME:?is not set}/.config}/systemd/user/claude-proxy.service
  source=$here/claude-proxy.user.service
  manage() { act systemctl --user "$@"; }
fi

if [ -n "$uninstall" ]; then
  [ -z "$binary$provider" ] || die "--uninstall takes neither a binary nor a provider" 2
  found=''
  if [ -e "$unit" ] && grep -q "^ExecStart=$target " "$unit"; then
    found=yes
    manage disable --now claude-proxy || say "could not stop or disable the service; going on"
    act rm -f "$unit"
    manage daemon-reload || true
  fi
  if [ -e "$target" ]; then
    found=yes
    act rm -f "$target"
  fi
  if [ -z "$found" ]; then
    say "There is no $target; nothing to take away."
  elif [ -z "$dry" ]; then
    say "Gone: $target. Settings and statistics are left: claude-proxy in ~/.config and ~/.local/state, of a service of the system in /etc and /var/lib."
  fi
  exit 0
fi

if [ -n "$service" ]; then
  command -v systemctl >/dev/null 2>&1 || die "--systemd: there is no systemctl here"
  [ -e "$source" ] || die "--systemd: $source is missing; run this from a clone of the repository"
  case $target in
    *[!A-Za-z0-9/._+-]*) die "--systemd: $target has characters that a unit cannot name; choose another --prefix" ;;
    /home/* | /root/*) [ -z "$root" ] || die "--systemd: a service of the system does not see $prefix; leave --prefix out" ;;
  esac
fi

# A build from this clone, with the Bun that it pins.
build() {
  top=$(dirname -- "$here")
  [ -e "$top/package.json" ] || die "no BINARY was given, and $top is no clone of claude-proxy to build one from"
  bun=$(sed -n 's/.*"packageManager": *"bun@\([^"]*\)".*/\1/p' "$top/package.json")
  binary=$top/dist/claude-proxy
  if command -v bun >/dev/null 2>&1 && [ "$(bun --version)" = "$bun" ]; then
    set -- bun
  elif command -v npx >/dev/null 2>&1; then
    set -- npx -y "bun@$bun"
  else
    die "building needs Node with npm, or Bun $bun: install one of them, or give the path of a binary"
  fi
  say "Building with Bun $bun."
  if [ -n "$dry" ]; then
    say "would: $* run build"
  else
    (cd "$top" && "$@" run build) || die "the build failed"
  fi
}

if [ -n "$binary" ]; then
  [ -f "$binary" ] || die "$binary is no file"
else
  build
fi

# In one step: the old one may be running.
put() {
  if cmp -s "$binary" "$target"; then
    say "$target is up to date."
    return
  fi
  act mkdir -p "$prefix/bin" || die "cannot make $prefix/bin: use sudo, or --prefix"
  act cp "$binary" "$target.new" || die "cannot write to $prefix/bin: use sudo, or --prefix"
  act chmod 755 "$target.new"
  if [ -z "$dry" ] && ! "$target.new" --version >/dev/null 2>&1; then
    rm -f "$target.new"
    die "$binary does not run here: is it for $(uname -s) on $(uname -m)? Nothing was changed."
  fi
  act mv -f "$target.new" "$target"
  [ -n "$dry" ] || say "Installed $target ($("$target" --version))."
}

# First settings, where there are none. For the service of the system nothing of root's own environment counts.
settings() {
  set -- "$target" init ${provider:+"$provider"}
  if [ -n "$root" ] && [ -n "$service" ]; then
    folder=/etc/claude-proxy
    set -- env -i "PATH=$PATH" HOME=/root XDG_CONFIG_HOME=/etc "$@"
  elif [ -n "$root" ] && [ -n "${SUDO_USER:-}" ]; then
    say "Settings are each user's own: claude-proxy init PROVIDER writes them."
    return
  elif [ -z "${XDG_CONFIG_HOME:-}" ] && [ "$(uname -s)" = Darwin ] && [ ! -d "$HOME/.config/claude-proxy" ]; then
    folder="$HOME/Library/Application Support/claude-proxy"
  else
    folder=${XDG_CONFIG_HOME:-$HOME/.config}/claude-proxy
  fi
  if [ -e "$folder/.env" ]; then
    say "$folder/.env stays as it is."
  else
    fresh=yes
    # What it says of next steps is for a user's own settings.
    if [ -n "$root" ] && [ -n "$service" ] && [ -z "$dry" ]; then
      "$@" >/dev/null && say "Wrote $folder/.env."
    else
      act "$@"
    fi || die "the first settings could not be written; the binary is installed"
  fi
}

# The user that the service runs as, and what it may read.
account() {
  if ! id claude-proxy >/dev/null 2>&1; then
    act useradd --system --user-group --home-dir /var/lib/claude-proxy --no-create-home \
      --shell "$(command -v nologin || echo /bin/false)" claude-proxy || die "cannot make the user claude-proxy"
  fi
  act chown root:claude-proxy /etc/claude-proxy /etc/claude-proxy/.env
  act chmod 750 /etc/claude-proxy
  act chmod 640 /etc/claude-proxy/.env
}

install_service() {
  if [ -n "$root" ]; then account; fi
  act mkdir -p "$(dirname -- "$unit")"
  if [ -n "$dry" ]; then
    say "would: write $unit"
  else
    sed "s|^ExecStart=[^ ]*|ExecStart=$target|" "$source" >"$unit.new" && mv -f "$unit.new" "$unit"
  fi
  if ! manage daemon-reload || ! manage enable claude-proxy; then
    [ -n "$root" ] || die "your systemd cannot be reached: log in as yourself (not through su or sudo), and run this again"
    die "systemd did not take $unit"
  fi
  if [ -n "$dry" ]; then
    [ -n "$fresh" ] || manage restart claude-proxy
  elif [ -n "$fresh" ]; then
    say "Next: write a key into $folder/.env, then: systemctl ${user}start claude-proxy"
  else
    manage restart claude-proxy
    say "It runs: systemctl ${user}status claude-proxy"
  fi
}

fresh='' user=''
[ -n "$root" ] || user='--user '
put
settings
if [ -n "$service" ]; then install_service; fi
case ":$PATH:" in
  *":$prefix/bin:"*) ;;
  *) say "$prefix/bin is not in your PATH: add it, for claude-proxy to be found." ;;
esac
