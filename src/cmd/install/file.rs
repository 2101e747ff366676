//! A file of somebody else's: read with its links followed, replaced whole at once, with its mode and owner kept. It knows
//! no formats.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// How many links may lead to a file.
const MAX_LINKS: usize = 40;

/// A file as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The path that it was looked for at.
    pub path: PathBuf,
    /// Where the links lead from there.
    target: PathBuf,
    /// What it holds; `None` when it does not exist.
    pub text: Option<String>,
}

impl Found {
    /// Reads a file. `Other` when it cannot be read, or is no text; a missing one is no error.
    pub fn read(path: &Path) -> Result<Found> {
        let target = follow(path)?;
        let text = match fs::read(&target) {
            Ok(bytes) => Some(String::from_utf8(bytes).map_err(|error| not_text(path, &error))?),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed("read", path, error)),
        };
        Ok(Found { path: path.to_owned(), target, text })
    }

    /// The folders that are missing above it, the outermost first.
    pub fn missing_folders(&self) -> Vec<PathBuf> {
        let above = self.target.ancestors().skip(1).take_while(|folder| !folder.exists());
        let mut missing: Vec<PathBuf> = above.map(Path::to_owned).collect();
        missing.reverse();
        missing
    }

    /// Sees whether it may be replaced. `Other` when it is marked as not to be written to.
    pub fn may_be_replaced(&self) -> Result<()> {
        if !fs::metadata(&self.target).is_ok_and(|metadata| metadata.permissions().readonly()) {
            return Ok(());
        }
        Err(Error::new(Kind::Other, format!("{} may not be written to", self.path.display()))
            .hint(format!("if it is yours to change: chmod u+w {}", self.target.display())))
    }

    /// Replaces what it holds in one step, or makes it. `Conflict` when it has changed since it was read.
    pub fn replace(&self, text: &str) -> Result<()> {
        self.unchanged()?;
        self.may_be_replaced()?;
        let metadata = fs::metadata(&self.target).ok();
        let parent = self.target.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent).map_err(|error| failed("make a folder for", &self.path, error))?;
        let fail = |error: std::io::Error| failed("write", &self.path, error);
        if metadata.as_ref().is_some_and(|metadata| metadata.nlink() > 1) {
            // A new file would leave the other names of this one behind.
            return fs::write(&self.target, text).map_err(fail);
        }
        let name = self.target.file_name().unwrap_or_default().to_string_lossy();
        let fresh = parent.join(format!(".{name}.postino-{}", std::process::id()));
        let _ = fs::remove_file(&fresh);
        let written = write_new(&fresh, text, metadata.as_ref()).and_then(|()| fs::rename(&fresh, &self.target));
        written.map_err(|error| {
            let _ = fs::remove_file(&fresh);
            fail(error)
        })
    }

    /// Removes it; a link that led to it stays. `Conflict` when it has changed since it was read.
    pub fn remove(&self) -> Result<()> {
        self.unchanged()?;
        fs::remove_file(&self.target).map_err(|error| failed("remove", &self.path, error))
    }

    fn unchanged(&self) -> Result<()> {
        if Found::read(&self.path)? == *self {
            return Ok(());
        }
        Err(Error::new(Kind::Conflict, format!("{} was changed by somebody else just now", self.path.display()))
            .hint("run the command again"))
    }
}

/// A new file with the text, and with the mode and owner of the one it is to replace.
fn write_new(path: &Path, text: &str, like: Option<&fs::Metadata>) -> std::io::Result<()> {
    let mut file: File =
        OpenOptions::new().write(true).create_new(true).mode(if like.is_some() { 0o600 } else { 0o666 }).open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(like) = like {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
            std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()))?;
        }
        file.set_permissions(fs::Permissions::from_mode(like.mode() & 0o7777))?;
    }
    file.sync_all()
}

/// Where the links at a path lead, also when nothing is there.
fn follow(path: &Path) -> Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().unwrap_or(Path::new("/")).join(next),
            Err(_) => return Ok(target),
        }
    }
    Err(Error::new(Kind::Other, format!("{} leads from link to link without end", path.display())))
}

fn not_text(path: &Path, error: &std::string::FromUtf8Error) -> Error {
    let valid = error.utf8_error().valid_up_to();
    let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
    Error::new(Kind::Other, format!("{} line {line} is not UTF-8 text", path.display()))
        .hint("mend the file; it was left as it is")
}

fn failed(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Other, format!("cannot {what} {}: {}", path.display(), error.kind()))
        .hint("see whose file it is and what may be done with it: ls -l")
        .because(error)
}
