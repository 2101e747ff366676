//! Where the store lies: its directory and files, kept private and kept from being anybody else's.
//! It knows nothing of what is in the database.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::network;
use crate::error::{Error, Kind, Result};

/// Names one file of this machine, so that a replaced one is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    /// The file system.
    device: u64,
    /// The file in it.
    inode: u64,
}

/// How a file looks from outside. SQLite touches its owner at times, so the time of that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Look {
    device: u64,
    inode: u64,
    size: u64,
    written: (i64, i64),
}

impl Look {
    fn of(meta: &std::fs::Metadata) -> Look {
        let written = (meta.mtime(), meta.mtime_nsec());
        Look { device: meta.dev(), inode: meta.ino(), size: meta.len(), written }
    }
}

/// How the database's files look from outside, so that a change by another program is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trace {
    base: Look,
    log: Option<Look>,
}

/// What a path must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Directory,
    File,
}

/// The directory and files of one embedded store.
#[derive(Clone, Debug)]
pub(super) struct Place {
    dir: PathBuf,
    file: PathBuf,
}

impl Place {
    /// Looks at the place, makes its directory when there is none, and mends its permissions. `Denied` when
    /// something there is not what it should be, or not the user's.
    pub(super) fn new(file: &Path) -> Result<Place> {
        let dir = match file.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.to_owned(),
            None => {
                return Err(Error::new(Kind::Usage, format!("{} cannot be a store: it is no file", file.display())));
            }
        };
        let place = Place { dir, file: file.to_owned() };
        place.prepare()?;
        Ok(place)
    }

    /// The database file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The directory of signs of life.
    pub(super) fn presence(&self) -> PathBuf {
        self.dir.join("presence")
    }

    /// How long SQLite's log is, in bytes; 0 when there is none.
    pub(super) fn log_size(&self) -> u64 {
        std::fs::metadata(self.log()).map_or(0, |meta| meta.len())
    }

    /// Refuses what is not ours where SQLite keeps its own files beside the database.
    pub(super) fn companions(&self) -> Result<()> {
        for end in ["-wal", "-shm", "-journal"] {
            let mut path = self.file.clone().into_os_string();
            path.push(end);
            inspect(Path::new(&path), Sort::File)?;
        }
        Ok(())
    }

    /// The file that is touched when something changed.
    pub(super) fn wake(&self) -> PathBuf {
        self.dir.join("wake")
    }

    /// The file that shows the last change.
    pub(super) fn bell(&self) -> PathBuf {
        self.dir.join("bell")
    }

    /// What the database's files look like from outside; `None` when they need looking after.
    pub(super) fn trace(&self) -> Option<Trace> {
        let base = inspect(&self.file, Sort::File).ok()?.filter(|meta| meta.mode() & 0o7777 == 0o600)?;
        let log = std::fs::symlink_metadata(self.log()).ok();
        Some(Trace { base: Look::of(&base), log: log.as_ref().map(Look::of) })
    }

    /// SQLite's log.
    fn log(&self) -> PathBuf {
        let mut log = self.file.clone().into_os_string();
        log.push("-wal");
        log.into()
    }

    /// Makes or mends the directory, and refuses what does not belong there.
    pub(super) fn prepare(&self) -> Result<()> {
        match inspect(&self.dir, Sort::Directory)? {
            None => make_directory(&self.dir)?,
            Some(meta) if meta.mode() & 0o077 != 0 => self.close_directory(&meta)?,
            Some(_) => {}
        }
        network::refuse(&self.dir)?;
        inspect(&self.wake(), Sort::File)?;
        if let Some(meta) = inspect(&self.presence(), Sort::Directory)?
            && meta.mode() & 0o077 != 0
        {
            set_mode(&self.presence(), 0o700)?;
        }
        Ok(())
    }

    /// Takes the directory from everybody else, when it is plainly the store's own.
    fn close_directory(&self, meta: &std::fs::Metadata) -> Result<()> {
        let ours = inspect(&self.file, Sort::File)?.is_some() || is_empty(&self.dir);
        let shared = meta.mode() & 0o1000 != 0;
        if shared || !ours {
            return Err(denied(&self.dir, "others may enter it, and it holds more than the store")
                .hint(format!("give the store a directory of its own, or: chmod 700 {}", self.dir.display())));
        }
        set_mode(&self.dir, 0o700)
    }

    /// The database file as it is now; `None` when there is none.
    pub(super) fn database(&self) -> Result<Option<FileId>> {
        let Some(meta) = inspect(&self.file, Sort::File)? else { return Ok(None) };
        if meta.mode() & 0o7777 != 0o600 {
            set_mode(&self.file, 0o600)?;
        }
        Ok(Some(FileId { device: meta.dev(), inode: meta.ino() }))
    }

    /// What no other database file has in common with this one.
    pub(super) fn birth(&self) -> Result<(PathBuf, u64, i64, i64)> {
        let meta = std::fs::symlink_metadata(&self.file).map_err(|error| failed("look at", &self.file, error))?;
        Ok((self.file.clone(), meta.ino(), meta.ctime(), meta.ctime_nsec()))
    }

    /// Makes an empty database file; nothing when somebody else was first.
    pub(super) fn create(&self) -> Result<()> {
        make_file(&self.file)
    }

    /// Sees to it that the name of SQLite's log is on disk before something in it counts. SQLite is built to leave that to us, for
    /// it would see to it in each process. A log that has something in it has been seen to; an empty one may be new. There is
    /// nothing to do while the database has no tables: whoever makes them does it.
    pub(super) fn anchor_log(&self) -> Result<()> {
        if self.log_size() > 0 || std::fs::metadata(&self.file).map_or(0, |meta| meta.len()) == 0 {
            return Ok(());
        }
        make_file(&self.log())?;
        self.sync()
    }

    /// Waits until the names in the directory are on disk.
    pub(super) fn sync(&self) -> Result<()> {
        sync(&self.dir)
    }

    /// Holds the directory for the one process that makes the tables; given back on drop.
    pub(super) fn lock(&self) -> Result<File> {
        let dir = File::open(&self.dir).map_err(|error| failed("open", &self.dir, error))?;
        rustix::fs::flock(&dir, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| failed("lock", &self.dir, error.into()))?;
        Ok(dir)
    }

    /// Touches the wake file, so that waiters look. A failure only makes them look a second later.
    pub(super) fn ring(&self) {
        if let Ok(wake) = self.open_wake() {
            let _ = wake.write_at(b"\n", 0);
        }
    }

    /// The wake file, made when there is none.
    pub(super) fn open_wake(&self) -> Result<File> {
        self.open_own(&self.wake())
    }

    /// A file of the store, open for writing and made when there is none. `Denied` when it is not the store's own.
    pub(super) fn open_own(&self, path: &Path) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::from_raw_mode(0o600));
        let file = File::from(file.map_err(|error| failed("open", path, error.into()))?);
        let meta = file.metadata().map_err(|error| failed("look at", path, error))?;
        judge(path, &meta, Sort::File)?;
        if meta.mode() & 0o7777 != 0o600 {
            set_mode(path, 0o600)?;
        }
        Ok(file)
    }
}

/// What lies at `path`, when it is what it should be; `None` when nothing does.
fn inspect(path: &Path, sort: Sort) -> Result<Option<std::fs::Metadata>> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) => judge(path, &meta, sort).map(|()| Some(meta)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("look at", path, error)),
    }
}

/// `Denied` unless it is of the right sort, the user's own, and known by this name alone.
fn judge(path: &Path, meta: &std::fs::Metadata, sort: Sort) -> Result<()> {
    let refused = |why: &str| Err(denied(path, why).hint("move it away, or choose another place for the store"));
    if meta.file_type().is_symlink() {
        return refused("it is a symbolic link");
    }
    match sort {
        Sort::Directory if !meta.is_dir() => return refused("it is not a directory"),
        Sort::File if !meta.is_file() => return refused("it is not a regular file"),
        Sort::File if meta.nlink() > 1 => return refused("it has a second name (hard link)"),
        Sort::Directory | Sort::File => {}
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return refused("it belongs to another user");
    }
    Ok(())
}

/// Makes the directory with mode 0700, and its parents; on disk before anything is put in it.
fn make_directory(dir: &Path) -> Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| failed("make the directory", dir, error))?;
    inspect(dir, Sort::Directory)?;
    set_mode(dir, 0o700)?;
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync(parent)
}

/// Waits until the names in a directory are on disk.
fn sync(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| failed("keep the directory", dir, error))
}

/// Makes an empty file; nothing when there is one.
fn make_file(path: &Path) -> Result<()> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::WRONLY;
    match rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)) {
        Ok(_) => set_mode(path, 0o600),
        Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(failed("make", path, error.into())),
    }
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .map_err(|error| failed("set the permissions of", path, error))
}

fn denied(path: &Path, why: &str) -> Error {
    Error::new(Kind::Denied, format!("cannot keep the store at {}: {why}", path.display()))
}

/// How the system refuses, in our words, and what to do.
const REFUSALS: [(ErrorKind, Kind, &str, &str); 6] = [
    (ErrorKind::PermissionDenied, Kind::Denied, "permission denied", "check who owns it and its parents"),
    (ErrorKind::NotFound, Kind::Unreachable, "it is not there", "check the path; try again"),
    (ErrorKind::StorageFull, Kind::Other, "the disk is full", "make room and try again"),
    (ErrorKind::QuotaExceeded, Kind::Other, "the quota is used up", "make room and try again"),
    (ErrorKind::ReadOnlyFilesystem, Kind::Denied, "the file system is read-only", "choose another place for the store"),
    (
        ErrorKind::NotADirectory,
        Kind::Denied,
        "a part of the path is no directory",
        "choose another place for the store",
    ),
];

/// A failure of the file system.
fn failed(what: &str, path: &Path, error: std::io::Error) -> Error {
    let known = REFUSALS.iter().find(|(found, ..)| *found == error.kind());
    let (kind, why, hint) = known.map_or(
        (Kind::Other, "the system refused", "check the disk; `postino doctor` tells more"),
        |(_, kind, why, hint)| (*kind, *why, *hint),
    );
    Error::new(kind, format!("cannot {what} {}: {why}", path.display())).hint(hint).because(error)
}
