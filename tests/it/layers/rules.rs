//! The map as tables: what each part may use, where each crate may be named, where the outside world may be touched.
//! It knows names and paths of files, not how they were found.

use super::names::Name;

/// Each part with the other parts it may use. Nothing points left:
/// main → lib → cmd → { mcp, web } → ops → store → { model, error }; cmd → output; choice, config and identity are
/// read by cmd and handed down; whoever keeps files of postino's own keeps them by private.
const LAYERS: &[(&str, &[&str])] = &[
    ("main", &[]),
    ("lib", &["cmd", "config"]),
    (
        "cmd",
        &[
            "choice",
            "config",
            "error",
            "identity",
            "mcp",
            "model",
            "ops",
            "output",
            "private",
            "store",
            "surrogates",
            "web",
        ],
    ),
    ("mcp", &["error", "model", "ops", "store", "surrogates"]),
    ("web", &["error", "model", "ops", "store"]),
    ("ops", &["error", "model", "store"]),
    ("identity", &["config", "error", "model", "ops", "private", "store"]),
    ("choice", &["config", "error", "identity", "model", "private", "store"]),
    ("config", &["error", "model", "private", "store"]),
    ("store", &["error", "model"]),
    ("output", &["error", "model"]),
    ("private", &["error"]),
    ("surrogates", &[]),
    ("model", &["error"]),
    ("error", &["model"]),
];

/// Modules that only these may name, beside themselves.
const PRIVATE: &[(&str, &[&str])] =
    &[("store::embedded", &["store", "store::address"]), ("store::valkey", &["store", "store::address"])];

/// Every dependency with the parts that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("anyhow", ANYWHERE),
    ("clap", &["cmd"]),
    ("clap_complete", &["cmd"]),
    ("clap_mangen", &["cmd"]),
    ("directories", &["config"]),
    ("dlmalloc", &["main"]),
    ("getrandom", &["config"]),
    ("jiff", &["cmd", "model", "output"]),
    ("jsonc_parser", &["cmd::install"]),
    ("notify", &["store::embedded"]),
    ("owo_colors", &["output"]),
    ("redis", &["store::valkey"]),
    ("rmcp", &["mcp"]),
    ("rusqlite", &["store::embedded"]),
    (
        "rustix",
        &["choice", "cmd::doctor", "cmd::serve", "config", "identity", "output", "private", "store::embedded", "web"],
    ),
    ("rustls", &["store::valkey"]),
    ("rustls_native_certs", &["store::valkey"]),
    ("schemars", ANYWHERE),
    ("serde", ANYWHERE),
    ("serde_json", ANYWHERE),
    ("sha2", &["identity", "ops", "store::embedded", "web"]),
    ("similar", &["cmd::install"]),
    ("tiny_http", &["web"]),
    ("tokio", &["mcp"]),
    ("toml", &["cmd::install", "config"]),
    ("uuid", &["model"]),
];

/// The outside world: how a path to it begins or ends, and the parts that may touch it.
const WORLD: &[(&str, &[&str])] = &[
    ("std::env", &["config"]),
    ("SystemTime", &["config"]),
    ("io::stdout", &["output"]),
    ("io::stderr", &["output"]),
    ("print!", &["output"]),
    ("println!", &["output"]),
    ("eprint!", &["output"]),
    ("eprintln!", &["output"]),
];

const ANYWHERE: &[&str] = &[""];

/// The parts that may name a crate; `None` for one that is not in the table.
pub(super) fn places(name: &str) -> Option<&'static [&'static str]> {
    CRATES.iter().find(|(known, _)| *known == name).map(|(_, places)| *places)
}

/// What is wrong with a file that uses these names, a line each.
pub(super) fn violations(file: &str, names: &[Name]) -> Vec<String> {
    let module = module_of(file);
    if is_test(&module) {
        return Vec::new();
    }
    let Some((layer, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == module[0]) else {
        return vec![format!("{file}: no layer is laid down for it in tests/it/layers/rules.rs")];
    };
    let complaint = |name: &Name| {
        let reason = arrow(&module, layer, allowed, name).or_else(|| outside(&module, name))?;
        Some(format!("{file}:{}: `{}`: {reason}", name.line, name.parts.join("::")))
    };
    names.iter().filter_map(complaint).collect()
}

/// The module's path: `src/store/valkey/keys.rs` is `store::valkey::keys`, `src/main.rs` is `main`.
fn module_of(file: &str) -> Vec<&str> {
    file.trim_start_matches("src/").trim_end_matches(".rs").split('/').collect()
}

/// Files that only tests are built from.
fn is_test(module: &[&str]) -> bool {
    ["tests", "conformance", "fuzz"].iter().any(|part| module.contains(part))
}

/// Why the arrow from this module to a name of ours is not on the map.
fn arrow(module: &[&str], layer: &str, allowed: &[&str], name: &Name) -> Option<String> {
    let target = ours(module, &name.parts)?;
    let part = target.first()?.as_str();
    let known = LAYERS.iter().any(|(layer, _)| *layer == part);
    if known && part != layer && !allowed.contains(&part) {
        return Some(format!("{layer} may not use {part}"));
    }
    let target = target.join("::");
    let (hidden, _) = PRIVATE.iter().find(|(hidden, users)| {
        within(&target, hidden) && !within(&module.join("::"), hidden) && !users.contains(&module.join("::").as_str())
    })?;
    Some(format!("{} may not use {hidden}", module.join("::")))
}

/// A path of ours from the crate's root; `None` for other crates' and for what stands in the same module.
fn ours(module: &[&str], parts: &[String]) -> Option<Vec<String>> {
    let ups = parts.iter().take_while(|part| *part == "super").count();
    if parts[0] == "crate" {
        return Some(parts[1..].to_vec());
    }
    let kept = module.len().checked_sub(ups)?;
    let above = module[..kept].iter().map(ToString::to_string);
    (ups > 0).then(|| above.chain(parts[ups..].iter().cloned()).collect())
}

/// Why this module may not name that crate or touch that piece of the outside world.
fn outside(module: &[&str], name: &Name) -> Option<String> {
    let path = name.parts.join("::");
    if module == ["main"] && path.starts_with("std::env::args") {
        return None;
    }
    let is_path = name.parts.len() > 1 || name.imported;
    let krate = CRATES.iter().find(|(krate, _)| is_path && *krate == name.parts[0]);
    let world =
        WORLD.iter().find(|(what, _)| within(&path, what) || path == *what || path.ends_with(&format!("::{what}")));
    let (what, places) = krate.or(world)?;
    let at_home = places.iter().any(|place| place.is_empty() || within(&module.join("::"), place));
    (!at_home).then(|| format!("only {} may name {what}", places.join(", ")))
}

/// Whether a path is this module or lies in it.
fn within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
