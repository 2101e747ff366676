//! The plugin as the client sees it: valid to the letter, and installed from a clean clone.

use std::path::Path;
use std::process::Command;

use crate::claude::Claude;
use crate::postino::{name_of_run, plugin};
use crate::world::World;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_plugin_and_the_marketplace_are_valid() {
    let world = World::new();
    let Some(claude) = Claude::new(&world) else { return };
    for folder in [plugin(), Path::new(ROOT)] {
        let ran = claude.run(&["plugin", "validate", "--strict", folder.to_str().unwrap()]);
        assert_eq!(ran.code, Some(0), "{}: {ran:?}", folder.display());
    }
}

#[test]
fn a_clean_clone_installs() {
    let world = World::new();
    let Some(claude) = Claude::new(&world) else { return };
    let clone = world.path("clone");
    let cloned = Command::new("git").args(["clone", "-q", ROOT]).arg(&clone).output().unwrap();
    assert!(cloned.status.success(), "{}", String::from_utf8_lossy(&cloned.stderr));
    for args in [&["marketplace", "add", clone.to_str().unwrap()][..], &["install", "postino@postino"]] {
        let ran = claude.run(&[&["plugin"], args].concat());
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
    }
    let (name, _) = name_of_run(&claude, &[]);
    assert_eq!(name, "project");
}
