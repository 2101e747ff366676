//! SECURITY.md names a test for each promise: each of them must exist.

use std::collections::BTreeSet;
use std::path::Path;

const SECURITY: &str = include_str!("../../../SECURITY.md");

/// The rows of the tables of promises.
fn promises() -> impl Iterator<Item = &'static str> {
    let part = SECURITY.split("## What is promised").nth(1).unwrap().split("\n## ").next().unwrap();
    part.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise"))
}

/// The names in code quotes in their last column.
fn named() -> Vec<&'static str> {
    let cells = promises().filter_map(|row| row.trim_end_matches(['|', ' ']).rsplit('|').next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// The names of all functions in the tests of this repository, and of the tests of the page by their titles.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "node_modules") {
                functions(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            found.extend(names.map(str::to_owned));
        }
    }
}

#[test]
fn every_promise_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    functions(&root.join("src"), &mut found);
    functions(&root.join("tests"), &mut found);
    let missing: Vec<_> = named().into_iter().filter(|name| !found.contains(*name)).collect();
    assert!(named().len() > 30, "the table is not read: {:?}", named());
    assert!(missing.is_empty(), "SECURITY.md names tests that do not exist: {missing:?}");
}

#[test]
fn every_promise_names_a_test() {
    let mut rows = 0;
    for line in promises() {
        let cell = line.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap();
        assert!(cell.matches('`').count() >= 2, "no test is named for: {line}");
        rows += 1;
    }
    assert!(rows > 15);
}
