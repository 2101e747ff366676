#!/bin/sh
# Installs postino from a release: fetches the archive for this machine, compares its SHA-256 with the release's list, and
# puts the one binary into a folder of yours. Whatever is missing or does not fit ends it before anything is installed.
set -eu

# The address of the release that this copy belongs to; the release fills it in.
BASE=''

usage() {
  cat <<'END'
Installs postino for you alone: needs no root, edits no file of yours.

usage: sh install.sh [--to DIR] [--from ADDRESS]

  --to DIR         where the binary goes; ~/.local/bin unless given
  --from ADDRESS   where the release lies: an https address, a file:// address, or a folder
END
}

die() {
  printf 'install.sh: %s\n' "$1" >&2
  if [ $# -gt 1 ]; then printf '  try: %s\n' "$2" >&2; fi
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

arguments() {
  from=$BASE to=''
  while [ $# -gt 0 ]; do
    case $1 in
      --to | --from)
        if [ $# -lt 2 ] || [ -z "$2" ]; then die "$1 wants a value" "sh install.sh --help"; fi
        if [ "$1" = --to ]; then to=$2; else from=${2%/}; fi
        shift 2
        ;;
      -h | --help) usage && exit 0 ;;
      *) die "there is no argument $1" "sh install.sh --help" ;;
    esac
  done
  if [ -z "$from" ]; then die "this copy does not say where its release lies" "sh install.sh --from ADDRESS"; fi
  if [ -z "$to" ]; then
    if [ -z "${HOME:-}" ]; then die "HOME is not set, so there is no ~/.local/bin" "sh install.sh --to DIR"; fi
    to=$HOME/.local/bin
  fi
}

# Sets `target` to what this machine's archive is named after.
machine() {
  system=$(uname -s) processor=$(uname -m)
  source="build it: cargo install --path . --locked, in a clone of the repository"
  if [ "$system" != Linux ]; then die "there is no binary for $system" "$source"; fi
  case $processor in
    x86_64 | amd64) target=x86_64-unknown-linux-musl ;;
    aarch64 | arm64) target=aarch64-unknown-linux-musl ;;
    *) die "there is no binary for $processor" "$source" ;;
  esac
}

# Fetches a file of the release. Neither plain http nor a redirection to it is followed.
fetch() {
  case $from in
    https://*)
      if have curl; then
        curl -fsSL --proto '=https' --tlsv1.2 --retry 3 -o "$tmp/$1" "$from/$1"
      elif have wget; then
        wget -q -O "$tmp/$1" "$from/$1"
      else
        die "neither curl nor wget is installed"
      fi
      ;;
    file://*) cp "${from#file://}/$1" "$tmp/$1" ;;
    *://*) die "$from is not an https address" ;;
    *) cp "$from/$1" "$tmp/$1" ;;
  esac || die "$1 cannot be fetched from $from"
}

# Sets `archive` and `wanted` to the one line of the release's list that is for this machine.
choose() {
  archive='' wanted=''
  while read -r sum name rest || [ -n "$sum" ]; do
    name=${name#\*}
    case $name in
      */*) continue ;;
      postino-[0-9]*-"$target".tar.gz) ;;
      *) continue ;;
    esac
    if [ -n "$archive$rest" ]; then die "the release's list of checksums is not clear about $target"; fi
    archive=$name wanted=$sum
  done <"$tmp/SHA256SUMS"
  if [ -z "$archive" ]; then die "the release has no archive for $target"; fi
  case $wanted in
    *[!0-9a-f]*) wanted='' ;;
  esac
  if [ ${#wanted} -ne 64 ]; then die "the release's checksum of $archive is none"; fi
}

verify() {
  if have sha256sum; then
    sum=$(sha256sum <"$tmp/$archive")
  elif have shasum; then
    sum=$(shasum -a 256 <"$tmp/$archive")
  elif have openssl; then
    sum=$(openssl dgst -sha256 -r <"$tmp/$archive")
  else
    die "nothing here computes a SHA-256, so the archive cannot be verified" "install coreutils or openssl"
  fi
  if [ "${sum%%[ *]*}" != "$wanted" ]; then
    die "$archive is not what the release's list of checksums says" "run it again; if it stays so, do not use this release"
  fi
}

# Puts the binary into its place in one step: what was there before stays whole until then.
place() {
  tar -xzOf "$tmp/$archive" "${archive%.tar.gz}/postino" >"$tmp/postino" || die "$archive cannot be unpacked"
  mkdir -p "$to" || die "the folder $to cannot be made" "sh install.sh --to DIR"
  to=$(CDPATH='' cd "$to" && pwd)
  if [ -d "$to/postino" ]; then die "$to/postino is a folder" "sh install.sh --to DIR"; fi
  new=$(mktemp "$to/.postino.XXXXXX") || die "nothing can be written into $to" "sh install.sh --to DIR"
  if ! cp "$tmp/postino" "$new" || ! chmod 755 "$new"; then die "the binary cannot be written into $to"; fi
  version=${archive#postino-} version=${version%-"$target".tar.gz}
  if [ "$("$new" --version)" != "postino $version" ]; then die "the binary of $archive does not run here"; fi
  mv -f "$new" "$to/postino" || die "$to/postino cannot be replaced"
}

# Says what is there now, and whether the shell will find it.
tell() {
  echo "installed postino $version as $to/postino"
  case ":${PATH:-}:" in
    *":$to:"*)
      found=$(command -v postino || true)
      if [ "$found" != "$to/postino" ]; then echo "note: your PATH finds $found first"; fi
      ;;
    *) echo "note: $to is not on your PATH; add it: export PATH=\"$to:\$PATH\"" ;;
  esac
  echo "next: postino install (teaches Claude Code), postino completions SHELL, postino --help"
}

main() {
  arguments "$@"
  machine
  new=''
  tmp=$(mktemp -d) || die "no temporary folder can be made"
  trap 'rm -rf "$tmp"; if [ -n "$new" ]; then rm -f "$new"; fi' EXIT
  trap 'exit 130' HUP INT TERM
  fetch SHA256SUMS
  choose
  fetch "$archive"
  verify
  place
  tell
}

# The last line, so that a copy that was cut off on its way does nothing.
main "$@"
