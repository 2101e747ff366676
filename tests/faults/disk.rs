//! A disk that loses power. Each file and directory has two states, what programs see and what was synced; when the power
//! goes, only what was synced is sure, and of the rest each sector and each name is there or not as chance has it. It
//! knows nothing of what is kept on it.

mod face;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::chance::Chance;

/// What a disk writes at once.
const SECTOR: usize = 512;
/// The number of the outermost directory.
const ROOT: u64 = 1;

/// What becomes of the changes that nobody synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsynced {
    /// All are lost.
    Lost,
    /// Chance decides for each sector and each name.
    Torn,
}

/// Names in a directory, with the numbers of what they name.
type Names = BTreeMap<OsString, u64>;

/// What a number stands for, as it is seen and as it was synced.
#[derive(Clone, Debug)]
enum Node {
    Directory { seen: Names, synced: Names },
    File { seen: Vec<u8>, synced: Vec<u8> },
}

/// What is known about a node beside what it holds.
#[derive(Clone, Copy, Debug)]
struct About {
    mode: u16,
    owner: (u32, u32),
    changed: SystemTime,
    made: SystemTime,
}

/// Everything on a disk.
#[derive(Default)]
struct Image {
    nodes: BTreeMap<u64, (Node, About)>,
    last: u64,
}

/// A disk that is mounted; unmounted when dropped.
pub(crate) struct Disk {
    image: Arc<Mutex<Image>>,
    folder: tempfile::TempDir,
    session: Option<fuser::BackgroundSession>,
}

impl Disk {
    /// An empty one.
    pub(crate) fn mount() -> Disk {
        let folder = tempfile::tempdir().unwrap();
        let mut image = Image::default();
        image.make(Node::Directory { seen: Names::new(), synced: Names::new() }, 0o700, (0, 0));
        let image = Arc::new(Mutex::new(image));
        let session = face::mount(Arc::clone(&image), folder.path());
        Disk { image, folder, session: Some(session) }
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes the power away and gives it back: what was open is gone, what was not synced is lost or torn.
    pub(crate) fn cut(&self, unsynced: Unsynced, chance: &mut Chance) {
        let mut image = lock(&self.image);
        let before = std::mem::take(&mut image.nodes);
        image.restore(&before, ROOT, ROOT, unsynced, chance);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.umount_and_join().unwrap();
        }
    }
}

fn lock(image: &Mutex<Image>) -> MutexGuard<'_, Image> {
    image.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "a disk stamps its files with the time; no step of postino goes by it")]
fn now() -> SystemTime {
    SystemTime::now()
}

impl Image {
    /// A new node with a number that none had before.
    fn make(&mut self, node: Node, mode: u16, owner: (u32, u32)) -> u64 {
        self.last += 1;
        let about = About { mode, owner, changed: now(), made: now() };
        self.nodes.insert(self.last, (node, about));
        self.last
    }

    /// The names in a directory as they are seen.
    fn names(&mut self, number: u64) -> Option<&mut Names> {
        match self.nodes.get_mut(&number)? {
            (Node::Directory { seen, .. }, _) => Some(seen),
            (Node::File { .. }, _) => None,
        }
    }

    /// The bytes of a file as they are seen.
    fn bytes(&mut self, number: u64) -> Option<&mut Vec<u8>> {
        match self.nodes.get_mut(&number)? {
            (Node::File { seen, .. }, about) => {
                about.changed = now();
                Some(seen)
            }
            (Node::Directory { .. }, _) => None,
        }
    }

    /// The number behind a name.
    fn find(&mut self, parent: u64, name: &OsStr) -> Option<u64> {
        self.names(parent)?.get(name).copied()
    }

    /// Makes what is seen of a node sure.
    fn sync(&mut self, number: u64) -> bool {
        match self.nodes.get_mut(&number) {
            Some((Node::Directory { seen, synced }, _)) => synced.clone_from(seen),
            Some((Node::File { seen, synced }, _)) => synced.clone_from(seen),
            None => return false,
        }
        true
    }

    /// Puts back what is left of a node, with all that it names, under a new number: what was open does not know that.
    fn restore(
        &mut self,
        before: &BTreeMap<u64, (Node, About)>,
        old: u64,
        new: u64,
        unsynced: Unsynced,
        chance: &mut Chance,
    ) {
        let Some((node, about)) = before.get(&old) else { return };
        let left = match node {
            Node::File { seen, synced } => {
                let bytes = torn(seen, synced, unsynced, chance);
                Node::File { seen: bytes.clone(), synced: bytes }
            }
            Node::Directory { seen, synced } => {
                let mut names = synced.clone();
                for name in seen.keys().chain(synced.keys()) {
                    if seen.get(name) != synced.get(name) && unsynced == Unsynced::Torn && chance.below(2) == 0 {
                        match seen.get(name) {
                            Some(number) => drop(names.insert(name.clone(), *number)),
                            None => drop(names.remove(name)),
                        }
                    }
                }
                for number in names.values_mut() {
                    self.last += 1;
                    let again = self.last;
                    self.restore(before, *number, again, unsynced, chance);
                    *number = again;
                }
                Node::Directory { seen: names.clone(), synced: names }
            }
        };
        self.nodes.insert(new, (left, *about));
    }
}

/// What is left of a file: of each sector, and of its length, the synced state or, by chance, what was seen.
fn torn(seen: &[u8], synced: &[u8], unsynced: Unsynced, chance: &mut Chance) -> Vec<u8> {
    if unsynced == Unsynced::Lost {
        return synced.to_vec();
    }
    let mut pick = || chance.below(2) == 0;
    let length = if pick() { seen.len() } else { synced.len() };
    let mut left = vec![0; length];
    for start in (0..length).step_by(SECTOR) {
        let source = if pick() { seen } else { synced };
        let end = (start + SECTOR).min(length).min(source.len());
        if start < end {
            left[start..end].copy_from_slice(&source[start..end]);
        }
    }
    left
}

#[test]
fn what_was_synced_stays_and_what_was_not_is_lost() {
    use std::io::Write;

    if !crate::tools::may_fuse() {
        return;
    }
    let disk = Disk::mount();
    let path = |name: &str| disk.path().join(name);
    let write = |name: &str, sync: bool| {
        let mut file = std::fs::File::options().create(true).append(true).open(path(name)).unwrap();
        file.write_all(&[7; 2_000]).unwrap();
        if sync {
            file.sync_all().unwrap();
        }
    };
    for (name, sync) in [("synced", true), ("grown", true), ("never synced", false), ("nameless", true)] {
        write(name, sync);
        if name != "nameless" {
            std::fs::File::open(disk.path()).unwrap().sync_all().unwrap();
        }
    }
    // The name was synced, the bytes were not; and the other way round.
    std::fs::rename(path("nameless"), path("other")).unwrap();
    write("grown", false);
    disk.cut(Unsynced::Lost, &mut Chance::seeded(1));
    let length = |name: &str| std::fs::metadata(path(name)).ok().map(|about| about.len());
    assert_eq!(length("synced"), Some(2_000));
    assert_eq!(length("grown"), Some(2_000));
    assert_eq!(length("never synced"), Some(0));
    assert_eq!((length("nameless"), length("other")), (None, None));
    assert_eq!(std::fs::read(path("grown")).unwrap(), [7; 2_000]);
}
