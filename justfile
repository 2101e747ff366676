# `just` lists what there is; `just ci` is what CI runs.

# The list of recipes.
[private]
default:
    @just --list --unsorted

# Everything that must hold: setup, then format, lints, dependencies, tests.
test:
    .ci/test

# Install what the tests need.
setup:
    .ci/setup

# Format and lints.
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings
    .ci/lint

# The tests alone; arguments go to cargo test.
unit *args:
    cargo test --locked {{ args }}

# Licences, bans, sources and advisories of the dependencies.
deny:
    .ci/deny

# The figures of the static binary: paired ratios, printed as a table.
bench *args: binary
    POSTINO_BIN="$PWD/dist/postino" cargo bench --locked --profile dev --bench figures -- {{ args }}

# One static binary in dist/, at most 10 MB.
binary:
    .ci/dist

# A release for this machine's processor in dist/release/: archive, parts list, npm packages, install.sh, checksums.
dist: binary
    .ci/setup release
    rm -rf dist/release
    .ci/archive dist/postino "$(uname -m)-unknown-linux-musl" dist/release
    .ci/release dist/release

# Adds what a release has beside its archives to a folder of them, whichever machines they were built on.
release folder:
    .ci/setup release
    .ci/release {{ quote(folder) }}

# What CI runs.
ci:
    .ci/run
