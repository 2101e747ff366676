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

# The figures of the static binary: paired ratios, printed as a table.
bench *args: dist
    POSTINO_BIN="$PWD/dist/postino" cargo bench --locked --profile dev --bench figures -- {{ args }}

# One static binary in dist/, at most 10 MB.
dist:
    .ci/dist

# What CI runs.
ci:
    .ci/run
