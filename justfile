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

# The web server against its own contract, with so many made-up requests an operation.
check-api examples="200":
    .ci/check-api {{ examples }}

# The figures of the static binary: paired ratios, printed as a table.
bench *args: dist
    POSTINO_BIN="$PWD/dist/postino" cargo bench --locked --profile dev --bench figures -- {{ args }}

# One static binary in dist/, at most 10 MB.
dist:
    .ci/dist

# What CI runs.
ci:
    .ci/run

# The page in a real browser; arguments go to node's test runner.
browser *args:
    .ci/browser {{ args }}

# The tests that take long: ten thousand messages, and bad weather that lasts; arguments go to node's test runner.
test-long *args:
    .ci/test-long {{ args }}

# README's picture of the page; with a folder also every view in every size and theme.
screenshots *folder:
    cargo build --locked
    node tests/browser/screenshots.mjs {{ folder }}
