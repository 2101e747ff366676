//! The Claude Code plugin, carried by the binary and laid out in a folder from which Claude Code reads it in place. It needs
//! neither a network nor a checkout.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::file::Found;
use crate::error::{Error, Kind, Result};

/// Lists files of the repository with their text.
macro_rules! files {
    ($($path:literal),* $(,)?) => { &[$(($path, include_str!(concat!("../../../", $path)))),*] };
}

/// The marketplace and the plugin.
pub const FILES: &[(&str, &str)] = files![
    ".claude-plugin/marketplace.json",
    "plugin/.claude-plugin/plugin.json",
    "plugin/.mcp.json",
    "plugin/LICENSE",
    "plugin/README.md",
    "plugin/commands/postino.md",
    "plugin/hooks/hooks.json",
    "plugin/monitors/monitors.json",
    "plugin/skills/messaging/SKILL.md",
];

/// Lays the files out, each replaced whole; others in the folder are from an earlier version and leave.
pub fn write(folder: &Path) -> Result<()> {
    let fail = |error: std::io::Error| failed(folder).because(error);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fail)?;
    for (path, text) in FILES {
        let file = Found::read(&folder.join(path))?;
        if file.text.as_deref() != Some(text) {
            file.replace(text)?;
        }
    }
    sweep(folder, folder).map_err(fail)
}

/// Whether the files in a folder are those of this version.
pub fn is_laid_out(folder: &Path) -> bool {
    FILES.iter().all(|(path, text)| fs::read_to_string(folder.join(path)).is_ok_and(|there| there == *text))
}

/// Removes the folder.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(folder).because(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes what is not of this version.
fn sweep(root: &Path, folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let ours =
            |(file, _): &(&str, &str)| path.strip_prefix(root).is_ok_and(|path| Path::new(file).starts_with(path));
        if !FILES.iter().any(ours) {
            if entry.file_type()?.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
        } else if entry.file_type()?.is_dir() {
            sweep(root, &path)?;
        }
    }
    Ok(())
}

fn failed(folder: &Path) -> Error {
    Error::new(Kind::Other, format!("cannot lay out the plugin in {}", folder.display()))
        .hint("see whose folder it is: ls -ld; or set POSTINO_HOME to one of your own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_carries_every_file_of_the_plugin() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut there = Vec::new();
        let mut folders = vec![root.join("plugin"), root.join(".claude-plugin")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { there.push(path) }
            }
        }
        let mut carried: Vec<_> = FILES.iter().map(|(path, _)| root.join(path)).collect();
        there.sort();
        carried.sort();
        assert_eq!(carried, there);
    }

    #[test]
    fn what_an_earlier_version_left_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        for stray in ["plugin/old/deep.json", "plugin/hooks/old.json", "stray"] {
            let stray = folder.path().join(stray);
            fs::create_dir_all(stray.parent().unwrap()).unwrap();
            fs::write(stray, "x").unwrap();
        }
        fs::write(folder.path().join("plugin/README.md"), "changed").unwrap();
        write(folder.path()).unwrap();
        assert!(!folder.path().join("plugin/old").exists() && !folder.path().join("stray").exists());
        assert!(!folder.path().join("plugin/hooks/old.json").exists());
        for (path, text) in FILES {
            assert_eq!(fs::read_to_string(folder.path().join(path)).unwrap(), *text);
        }
    }
}
