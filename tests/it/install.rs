//! `postino install` and `uninstall` in a home of their own: what they write, what they leave alone, and that removing gives back
//! every file to the byte.

mod claude;
mod opencode;
mod round_trip;
mod templates;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{Postino, Ran};

/// What a folder holds: each path with its mode, and a file's bytes or where a link leads. postino's own folder is left out.
fn snapshot(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if name == "postino" || name == "data" {
                continue;
            }
            let meta = path.symlink_metadata().unwrap();
            let content = if meta.is_symlink() {
                fs::read_link(&path).unwrap().display().to_string().into_bytes()
            } else if meta.is_dir() {
                folders.push(path);
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            found.insert(name, (meta.permissions().mode(), content));
        }
    }
    found
}

/// Runs a command line that must succeed and say nothing but its answer.
#[track_caller]
fn ran(postino: &Postino, args: &[&str]) -> Ran {
    let ran = Ran::of(&mut postino.command(args));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}: {}", ran.out);
    ran
}

/// Writes a file below the home, with the folders above it.
fn write(postino: &Postino, name: &str, text: &str) {
    let path = postino.home().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Reads a file below the home.
fn read(postino: &Postino, name: &str) -> String {
    fs::read_to_string(postino.home().join(name)).unwrap()
}

/// A program in a folder of its own below the home that does what the shell script says; gives a PATH with it.
fn program(postino: &Postino, name: &str, script: &str) -> String {
    write(postino, &format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
    let path = postino.home().join("bin").join(name);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", postino.home().join("bin").display())
}
