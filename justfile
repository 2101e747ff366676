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

# Every fault on every store; writes the table of docs/reliability.md. Half an hour.
faults:
    .ci/faults

# Builds that are wrong on purpose, and whether the faults notice.
mutants *names:
    .ci/mutants {{ names }}

# Random input for one fuzz target or for all of them, each for so many seconds; `just fuzz keep` tidies the corpus.
fuzz target="all" seconds="60":
    .ci/fuzz {{ target }} {{ seconds }}

# The web server against its own contract, with so many made-up requests an operation.
check-api examples="200":
    .ci/check-api {{ examples }}

# The figures of the static binary: paired ratios, printed as a table.
bench *args: binary
    POSTINO_BIN="$PWD/dist/postino" cargo bench --locked --profile dev --bench figures -- {{ args }}

# The same with curves, written into docs/performance.md; takes some minutes and wants a quiet machine.
figures *args: binary
    POSTINO_BIN="$PWD/dist/postino" cargo bench --locked --profile dev --bench figures -- --write {{ args }}

# Where a hook's instructions and system calls go when nothing is new.
profile:
    .ci/profile

# What one Valkey server carries, written into docs/scale.md.
scale *args:
    benches/scale.sh {{ args }}

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

# The page in a real browser; arguments go to node's test runner.
browser *args:
    .ci/browser {{ args }}

# The tests that take minutes: many connections, ten thousand messages, bad weather that lasts; arguments go to node's test runner.
test-long *args:
    .ci/test-long {{ args }}

# README's picture of the page; with a folder also every view in every size and theme.
screenshots *folder:
    cargo build --locked
    node tests/browser/screenshots.mjs {{ folder }}
