//! The disk as the kernel sees it: requests of a file system in user space, answered from the image. Nothing is kept in the
//! kernel's memory that the image does not know of, but for what it read.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::{Image, Names, Node, lock, now};

/// Names and what is known about files are asked for each time.
const NO_TIME: Duration = Duration::ZERO;

/// The face of an image.
struct Face(Arc<Mutex<Image>>);

/// Mounts it.
pub(super) fn mount(image: Arc<Mutex<Image>>, folder: &Path) -> BackgroundSession {
    let mut config = Config::default();
    config.mount_options = vec![MountOption::FSName("forgetful".to_owned())];
    fuser::spawn_mount(Face(image), folder, &config).unwrap()
}

impl Face {
    fn image(&self) -> MutexGuard<'_, Image> {
        lock(&self.0)
    }

    /// Makes a node under a name.
    fn make(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, node: Node) -> Result<FileAttr, Errno> {
        let mut image = self.image();
        match image.names(parent.0) {
            Some(names) if names.contains_key(name) => return Err(Errno::EEXIST),
            Some(_) => {}
            None => return Err(Errno::EIO),
        }
        let number = image.make(node, mode as u16 & 0o7777, (request.uid(), request.gid()));
        image.names(parent.0).ok_or(Errno::EIO)?.insert(name.to_owned(), number);
        attributes(&image, number)
    }

    /// Takes a name away.
    fn take(&self, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        match self.image().names(parent.0).map(|names| names.remove(name)) {
            Some(Some(_)) => reply.ok(),
            Some(None) => reply.error(Errno::ENOENT),
            None => reply.error(Errno::EIO),
        }
    }

    fn sync(&self, number: INodeNo, reply: ReplyEmpty) {
        if self.image().sync(number.0) { reply.ok() } else { reply.error(Errno::EIO) }
    }
}

/// What is known about a node. A number from before a power cut is an error of the disk.
fn attributes(image: &Image, number: u64) -> Result<FileAttr, Errno> {
    let (node, about) = image.nodes.get(&number).ok_or(Errno::EIO)?;
    let (kind, size) = match node {
        Node::Directory { .. } => (FileType::Directory, 0),
        Node::File { seen, .. } => (FileType::RegularFile, seen.len() as u64),
    };
    Ok(FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: about.changed,
        mtime: about.changed,
        ctime: about.made,
        crtime: about.made,
        kind,
        perm: about.mode,
        nlink: 1,
        uid: about.owner.0,
        gid: about.owner.1,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    })
}

impl Filesystem for Face {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let mut image = self.image();
        let Some(number) = image.find(parent.0, name) else { return reply.error(Errno::ENOENT) };
        match attributes(&image, number) {
            Ok(attributes) => reply.entry(&NO_TIME, &attributes, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match attributes(&self.image(), number.0) {
            Ok(attributes) => reply.attr(&NO_TIME, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        changed: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut image = self.image();
        if let Some(size) = size
            && let Some(bytes) = image.bytes(number.0)
        {
            bytes.resize(size as usize, 0);
        }
        if let Some((_, about)) = image.nodes.get_mut(&number.0) {
            about.mode = mode.map_or(about.mode, |mode| mode as u16 & 0o7777);
            about.owner = (uid.unwrap_or(about.owner.0), gid.unwrap_or(about.owner.1));
            about.changed = match changed {
                Some(TimeOrNow::SpecificTime(time)) => time,
                Some(TimeOrNow::Now) => now(),
                None => about.changed,
            };
        }
        match attributes(&image, number.0) {
            Ok(attributes) => reply.attr(&NO_TIME, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, _: u32, reply: ReplyEntry) {
        let node = Node::Directory { seen: Names::new(), synced: Names::new() };
        match self.make(request, parent, name, mode, node) {
            Ok(attributes) => reply.entry(&NO_TIME, &attributes, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn create(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, _: u32, _: i32, reply: ReplyCreate) {
        let node = Node::File { seen: Vec::new(), synced: Vec::new() };
        match self.make(request, parent, name, mode, node) {
            Ok(made) => reply.created(&NO_TIME, &made, Generation(0), FileHandle(0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.take(parent, name, reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.take(parent, name, reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        to: INodeNo,
        new: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let mut image = self.image();
        let Some(number) = image.names(parent.0).and_then(|names| names.remove(name)) else {
            return reply.error(Errno::ENOENT);
        };
        match image.names(to.0) {
            Some(names) => {
                names.insert(new.to_owned(), number);
                reply.ok();
            }
            None => reply.error(Errno::EIO),
        }
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.image().nodes.get(&number.0) {
            Some((Node::File { seen, .. }, _)) => {
                let start = (offset as usize).min(seen.len());
                reply.data(&seen[start..(start + size as usize).min(seen.len())]);
            }
            Some((Node::Directory { .. }, _)) | None => reply.error(Errno::EIO),
        }
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut image = self.image();
        let Some(bytes) = image.bytes(number.0) else { return reply.error(Errno::EIO) };
        let (start, end) = (offset as usize, offset as usize + data.len());
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[start..end].copy_from_slice(data);
        reply.written(data.len() as u32);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // To close a file is not to sync it.
        reply.ok();
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.sync(number, reply);
    }

    fn fsyncdir(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.sync(number, reply);
    }

    fn readdir(&self, _: &Request, number: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let mut image = self.image();
        let Some(names) = image.names(number.0).cloned() else { return reply.error(Errno::EIO) };
        for (at, (name, number)) in names.iter().enumerate().skip(offset as usize) {
            let kind = match image.nodes.get(number) {
                Some((Node::Directory { .. }, _)) => FileType::Directory,
                Some((Node::File { .. }, _)) | None => FileType::RegularFile,
            };
            if reply.add(INodeNo(*number), at as u64 + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(1 << 20, 1 << 19, 1 << 19, 1 << 16, 1 << 15, 4096, 255, 4096);
    }
}
