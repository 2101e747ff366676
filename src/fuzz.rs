//! What must hold for any input, one function a surface: fuzzers call them with bytes of their own, and the tests below
//! with the inputs that fuzzers found worth keeping (`fuzz/corpus`).
//!
//! A property fails by a panic. The functions stand beside what they try; this is where they are collected.

pub mod input;
mod words;

pub use self::words::words;
pub use crate::cmd::hook::fuzz::hook;
pub use crate::config::fuzz::settings;
pub use crate::identity::registry::fuzz::registry;
pub use crate::mcp::fuzz::mcp;
pub use crate::output::fuzz::escape;
pub use crate::store::fuzz::records;
pub use crate::web::fuzz::http;

/// A property of any bytes.
pub type Property = fn(&[u8]);

/// Every surface by its name, which is also the name of its fuzz target and of its folder in the corpus.
pub const ALL: [(&str, Property); 8] = [
    ("escape", escape),
    ("hook", hook),
    ("http", http),
    ("mcp", mcp),
    ("records", records),
    ("registry", registry),
    ("settings", settings),
    ("words", words),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn folder(of: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(of)
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().to_str().unwrap().trim_end_matches(".rs").to_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_surface_has_a_fuzz_target_and_a_corpus() {
        let names: Vec<_> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names_in(&folder("targets")), names);
        assert_eq!(names_in(&folder("corpus")), names);
        let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
        for name in names {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in fuzz/Cargo.toml");
        }
    }

    #[test]
    fn everything_in_the_corpus_holds() {
        for (name, property) in ALL {
            let files: Vec<_> =
                fs::read_dir(folder("corpus").join(name)).unwrap().map(|file| file.unwrap().path()).collect();
            assert!(files.len() > 10, "the corpus of {name} is too small to prove anything");
            for file in files {
                let input = fs::read(&file).unwrap();
                let run = std::panic::catch_unwind(|| property(&input));
                assert!(run.is_ok(), "{}", file.display());
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_hold_too(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for (_, property) in ALL {
                property(&bytes);
            }
        }
    }
}
