//! Which file systems cannot carry the store: those of other machines, where locks and shared memory
//! do not hold. It knows nothing of the store but its directory.

use std::path::Path;

use crate::error::{Error, Kind, Result};

/// `Denied` when the directory lies on a network file system; where the system does not tell, it passes.
pub(super) fn refuse(dir: &Path) -> Result<()> {
    let Some(name) = found(dir) else { return Ok(()) };
    Err(Error::new(
        Kind::Denied,
        format!("cannot keep the store at {}: it is on a network file system ({name})", dir.display()),
    )
    .hint("choose a local directory with POSTINO_HOME, or share a Valkey with POSTINO_VALKEY_URL"))
}

/// The network file system that the directory lies on.
#[cfg(target_os = "linux")]
fn found(dir: &Path) -> Option<String> {
    const FUSE: u32 = 0x6573_5546;
    let kind = u32::try_from(rustix::fs::statfs(dir).ok()?.f_type).ok()?;
    if kind != FUSE {
        return by_number(kind).map(str::to_owned);
    }
    let device = rustix::fs::stat(dir).ok()?.st_dev;
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    by_mount(&std::fs::read_to_string("/proc/self/mountinfo").ok()?, &device)
}

#[cfg(not(target_os = "linux"))]
fn found(_dir: &Path) -> Option<String> {
    None
}

/// The file systems that Linux itself knows to be remote, by their numbers in statfs(2).
#[cfg(target_os = "linux")]
fn by_number(kind: u32) -> Option<&'static str> {
    const REMOTE: [(u32, &str); 8] = [
        (0x6969, "nfs"),
        (0x517B, "smb"),
        (0xFF53_4D42, "cifs"),
        (0xFE53_4D42, "smb"),
        (0x5346_414F, "afs"),
        (0x6B41_4653, "afs"),
        (0x0102_1997, "9p"),
        (0x00C3_6400, "ceph"),
    ];
    REMOTE.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// The file system in user space mounted as `device`, when it is one that reaches other machines. A line
/// of mountinfo (proc_pid_mountinfo(5)) has the device third, and the type behind a lone hyphen.
#[cfg(target_os = "linux")]
fn by_mount(mounts: &str, device: &str) -> Option<String> {
    const REMOTE: [&str; 10] = [
        "fuse.sshfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.goofys",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.ceph-fuse",
        "fuse.curlftpfs",
        "fuse.smbnetfs",
        "fuse.davfs",
    ];
    let line = mounts.lines().find(|line| line.split(' ').nth(2) == Some(device))?;
    let kind = line.split_once(" - ")?.1.split(' ').next()?;
    REMOTE.contains(&kind).then(|| kind.to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
36 35 8:1 / /home rw,relatime shared:1 - ext4 /dev/sda1 rw
40 35 0:45 / /mnt/far rw,nosuid - fuse.sshfs host:/srv rw
41 35 0:46 / /mnt/near rw,nosuid shared:9 - fuse.bindfs /data rw
";

    #[test]
    fn remote_mounts_are_told_from_local_ones() {
        assert_eq!(by_mount(MOUNTS, "0:45").as_deref(), Some("fuse.sshfs"));
        assert_eq!(by_mount(MOUNTS, "0:46"), None);
        assert_eq!(by_mount(MOUNTS, "8:1"), None);
        assert_eq!(by_mount(MOUNTS, "9:9"), None);
    }

    #[test]
    fn remote_file_systems_are_known_by_number() {
        assert_eq!(by_number(0x6969), Some("nfs"));
        assert_eq!(by_number(0xEF53), None);
    }
}
