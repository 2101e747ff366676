//! Takes the scripts out of docs/ci.md. It reads as much YAML as that page has, and runs nothing.

use std::collections::BTreeMap;

/// The page.
pub(crate) const PAGE: &str = include_str!("../../../docs/ci.md");

/// The lines of the page's n-th block of this language.
fn block(language: &str, n: usize) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    let block = PAGE.split(start.as_str()).nth(n + 1).unwrap();
    block.split("```").next().unwrap().lines().collect()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The text that a key at `at` has: what follows it on its line, or the block below it, without its indentation.
fn text(lines: &[&str], at: usize, rest: &str) -> String {
    if rest != "|" {
        return format!("{rest}\n");
    }
    let inner = indent(lines[at + 1]);
    let block = lines[at + 1..].iter().take_while(|line| line.trim().is_empty() || indent(line) >= inner);
    block.map(|line| format!("{}\n", line.get(inner..).unwrap_or(""))).collect()
}

/// The scripts of the GitHub Actions snippet by the names of their steps.
pub(crate) fn github() -> BTreeMap<&'static str, String> {
    let lines = block("yaml", 0);
    let mut scripts = BTreeMap::new();
    let mut name = "";
    for (at, line) in lines.iter().enumerate() {
        if let Some(found) = line.trim_start().strip_prefix("- name: ") {
            name = found;
        }
        if let Some(rest) = line.trim_start().strip_prefix("run: ") {
            assert!(scripts.insert(name, text(&lines, at, rest)).is_none(), "two steps are called {name}");
        }
    }
    scripts
}

/// One part of a job of the GitLab snippet, its lines joined as the runner joins them.
pub(crate) fn gitlab(job: &str, part: &str) -> String {
    let lines = block("yaml", 1);
    let job = lines.iter().position(|line| *line == format!("{job}:")).unwrap();
    let part = lines[job..].iter().position(|line| *line == format!("  {part}:")).unwrap() + job;
    let items = lines[part + 1..].iter().take_while(|line| indent(line) >= 4).enumerate();
    items
        .filter_map(|(n, line)| {
            let rest = line.strip_prefix("    - ")?;
            assert!(!rest.contains(": "), "not a text in YAML: {rest}");
            Some(text(&lines, part + 1 + n, rest))
        })
        .collect()
}
