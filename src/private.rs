//! Files of postino's own, apart from the store: this user's alone, whatever the umask is and whoever was there first. They
//! are opened without following a link or waiting at a pipe, and refused when they are not what they should be.
//!
//! It knows paths, owners and modes, and not what stands in the files.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::error::{Error, Kind, Result};

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Its content; it must exist.
    Read,
    /// To be locked, or written from the start; it is made when it is missing.
    Write,
    /// More at its end; it is made when it is missing.
    Append,
}

/// Opens a file of this user's, made 0600 in folders 0700 where it is missing. `Denied` when it, or the folder that it is to be
/// made in, is not what it should be; `NotFound` when it is to be read and is not there.
pub fn open(path: &Path, purpose: Purpose) -> Result<File> {
    let mut options = File::options();
    match purpose {
        Purpose::Read => options.read(true),
        Purpose::Write => options.write(true).create(true).truncate(false),
        Purpose::Append => options.append(true).create(true),
    };
    // Opened for writing, a pipe is refused; opened for reading, it is looked at below.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    options.mode(0o600).custom_flags(flags);
    if purpose != Purpose::Read {
        folder_of(path)?;
    }
    let file = options.open(path).map_err(|error| failed(path, error))?;
    let meta = file.metadata().map_err(|error| failed(path, error))?;
    judge(path, &meta)?;
    Ok(file)
}

/// The first `most` bytes of a file of this user's, in one read; `None` when there is no such file.
pub fn read(path: &Path, most: usize) -> Result<Option<Vec<u8>>> {
    let mut file = match open(path, Purpose::Read) {
        Ok(file) => file,
        Err(error) if error.kind == Kind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut content = vec![0; most];
    let n = file.read(&mut content).map_err(|error| failed(path, error))?;
    content.truncate(n);
    Ok(Some(content))
}

/// The text of a file that the user keeps, with links followed, for some keep such files elsewhere; `None` when there is none.
/// `Denied` when it belongs to another user than this one and root, or when everybody may write to it.
pub fn read_kept(path: &Path) -> Result<Option<String>> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let mut file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, error)),
    };
    let meta = file.metadata().map_err(|error| failed(path, error))?;
    if !meta.is_file() {
        return Err(refused(path, "it is not a regular file"));
    }
    if meta.uid() != 0 && meta.uid() != me() {
        return Err(refused(path, "it belongs to another user"));
    }
    if meta.mode() & 0o002 != 0 {
        return Err(refused(path, "everybody may write to it").hint(format!("chmod 600 {}", path.display())));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| failed(path, error))?;
    Ok(Some(text))
}

/// Makes the folder that a file lies in, and those above it, 0700; refuses one that others could put files into.
fn folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let meta = match std::fs::metadata(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
        }
        Ok(meta) => return judge_folder(folder, &meta),
        Err(error) => Err(error),
    };
    meta.map_err(|error| failed(folder, error))
}

fn judge_folder(folder: &Path, meta: &Metadata) -> Result<()> {
    if !meta.is_dir() {
        return Err(refused(folder, "it is not a directory"));
    }
    if meta.uid() != me() {
        return Err(refused(folder, "it belongs to another user"));
    }
    if meta.mode() & 0o002 != 0 {
        return Err(refused(folder, "everybody may put files into it").hint(format!("chmod 700 {}", folder.display())));
    }
    Ok(())
}

fn judge(path: &Path, meta: &Metadata) -> Result<()> {
    if !meta.is_file() {
        return Err(refused(path, "it is not a regular file"));
    }
    if meta.uid() != me() {
        return Err(refused(path, "it belongs to another user"));
    }
    if meta.nlink() > 1 {
        return Err(refused(path, "it has a second name (hard link)"));
    }
    Ok(())
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn refused(path: &Path, why: &str) -> Error {
    Error::new(Kind::Denied, format!("cannot use {}: {why}", path.display()))
        .hint("move it away, or set POSTINO_HOME to a folder of your own")
}

/// What the system says when a link or a pipe stands in the way, and what else may have gone wrong.
fn failed(path: &Path, error: std::io::Error) -> Error {
    match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => return refused(path, "it is a symbolic link"),
        Some(Errno::NXIO | Errno::ISDIR) => return refused(path, "it is not a regular file"),
        Some(_) | None => {}
    }
    let is_denied = matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
    let kind = if is_denied {
        Kind::Denied
    } else if error.kind() == ErrorKind::NotFound {
        Kind::NotFound
    } else {
        Kind::Other
    };
    Error::new(kind, format!("cannot use {}: {}", path.display(), error.kind()))
        .hint("check that the folder is yours and not full, or set POSTINO_HOME to one that is")
        .because(error)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::path::PathBuf;

    use super::*;

    const ALL: [Purpose; 3] = [Purpose::Read, Purpose::Write, Purpose::Append];

    /// Why a file is refused, for whatever it is opened.
    fn refusal(path: &Path) -> String {
        let mut all: Vec<Error> = ALL.iter().map(|purpose| open(path, *purpose).unwrap_err()).collect();
        assert!(all.iter().all(|error| error.kind == Kind::Denied && error.hint.is_some()), "{all:?}");
        assert!(all.iter().all(|error| error.message == all[0].message), "{all:?}");
        all.remove(0).message
    }

    fn home() -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        (home, path)
    }

    #[test]
    fn what_is_made_is_private() {
        let (home, _) = home();
        let path = home.path().join("a/b/file");
        open(&path, Purpose::Append).unwrap().write_all(b"one").unwrap();
        open(&path, Purpose::Write).unwrap();
        assert_eq!(read(&path, 100).unwrap().as_deref(), Some(&b"one"[..]));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = home.path().join("a");
        assert_eq!((mode(&path), mode(&folder), mode(&folder.join("b"))), (0o600, 0o700, 0o700));
        assert_eq!(read(&folder.join("none"), 100).unwrap(), None);
        assert!(!folder.join("none").exists());
    }

    #[test]
    fn links_pipes_and_folders_are_refused_at_once() {
        let (home, path) = home();
        let target = home.path().join("target");
        symlink(&target, &path).unwrap();
        assert!(refusal(&path).ends_with("file: it is a symbolic link"), "a link that leads nowhere");
        std::fs::write(&target, "theirs").unwrap();
        assert!(refusal(&path).ends_with("file: it is a symbolic link"));
        std::fs::remove_file(&path).unwrap();
        std::fs::hard_link(&target, &path).unwrap();
        assert!(refusal(&path).ends_with("file: it has a second name (hard link)"));
        std::fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(refusal(&path).ends_with("file: it is not a regular file"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(refusal(&path).ends_with("file: it is not a regular file"));
        assert_eq!(std::fs::read(&target).unwrap(), b"theirs");
    }

    #[test]
    fn what_others_own_or_may_change_is_refused() {
        let (home, path) = home();
        std::fs::write(&path, "mine").unwrap();
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        for purpose in [Purpose::Write, Purpose::Append] {
            assert!(open(&path, purpose).unwrap_err().message.ends_with("everybody may put files into it"));
        }
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        // Only root can give files away; for anybody else there is nothing to try.
        if rustix::process::geteuid().is_root() {
            chown(&path, Some(12_345), None).unwrap();
            assert!(refusal(&path).ends_with("file: it belongs to another user"));
            assert!(read_kept(&path).unwrap_err().message.ends_with("it belongs to another user"));
            chown(&path, Some(0), None).unwrap();
            chown(home.path(), Some(12_345), None).unwrap();
            assert!(open(&path, Purpose::Write).unwrap_err().message.ends_with("it belongs to another user"));
        }
    }

    #[test]
    fn a_kept_file_may_be_a_link_but_no_pipe_and_nobody_elses() {
        let (home, path) = home();
        assert_eq!(read_kept(&path).unwrap(), None);
        std::fs::write(home.path().join("elsewhere"), "text").unwrap();
        symlink(home.path().join("elsewhere"), &path).unwrap();
        assert_eq!(read_kept(&path).unwrap().as_deref(), Some("text"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(read_kept(&path).unwrap_err().message.ends_with("everybody may write to it"));
        std::fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(read_kept(&path).unwrap_err().message.ends_with("it is not a regular file"));
    }
}
