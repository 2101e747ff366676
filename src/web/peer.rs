//! Whose process is at the other end of a loopback connection: asked of the system, which on Linux knows the owner of every socket. It
//! does not know what the owner may do.

use std::net::SocketAddr;

/// Who owns the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The user that this process runs as.
    Us,
    /// Another user, or nobody any more.
    Other,
    /// The system does not tell.
    Unknown,
}

/// Who owns the socket at `theirs` that is connected to `ours`, both on this machine.
#[cfg(target_os = "linux")]
pub(super) fn owner(theirs: SocketAddr, ours: SocketAddr) -> Owner {
    let asked = match diag::owner(theirs, ours) {
        // A kernel that cannot be asked so says that there is no such socket, too.
        Ok(None) | Err(_) => table::owner(theirs, ours),
        found => found,
    };
    match asked {
        Ok(Some(uid)) if uid == rustix::process::geteuid().as_raw() => Owner::Us,
        Ok(_) => Owner::Other,
        Err(_) => Owner::Unknown,
    }
}

/// Who owns the socket at `theirs` that is connected to `ours`, both on this machine.
#[cfg(not(target_os = "linux"))]
pub(super) fn owner(_theirs: SocketAddr, _ours: SocketAddr) -> Owner {
    Owner::Unknown
}

/// The kernel's sockets, asked for one of them (sock_diag(7)).
#[cfg(target_os = "linux")]
mod diag {
    use std::io;
    use std::net::{IpAddr, SocketAddr};
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
    use rustix::net::sockopt::{Timeout, set_socket_timeout};
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

    /// How long the kernel may take; it takes microseconds.
    const PATIENCE: Duration = Duration::from_secs(1);
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLMSG_ERROR: u16 = 2;
    const NLM_F_REQUEST: u16 = 1;
    const TCP: u8 = 6;
    const LISTENING: u8 = 10;
    const NO_SUCH_SOCKET: i32 = -2;

    thread_local! {
        /// A way to the kernel for each thread that asks.
        static KERNEL: io::Result<OwnedFd> = open();
    }

    fn open() -> io::Result<OwnedFd> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        Ok(socket)
    }

    /// The owner's id; `None` when no process holds that socket any more.
    pub(super) fn owner(theirs: SocketAddr, ours: SocketAddr) -> io::Result<Option<u32>> {
        KERNEL.with(|kernel| match kernel {
            Ok(kernel) => ask(kernel, &question(theirs, ours), number(theirs, ours)),
            Err(error) => Err(error.kind().into()),
        })
    }

    /// The number that the kernel repeats in its answer: an answer that came too late is none to the next question.
    fn number(theirs: SocketAddr, ours: SocketAddr) -> u32 {
        u32::from(theirs.port()) << 16 | u32::from(ours.port())
    }

    fn ask(kernel: &OwnedFd, question: &[u8], number: u32) -> io::Result<Option<u32>> {
        sendto(kernel, question, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        let mut answer = [0u8; 1_024];
        let (length, _) = recv(kernel, &mut answer[..], RecvFlags::empty())?;
        read(answer.get(..length).unwrap_or_default(), number).unwrap_or_else(|| Err(io::ErrorKind::InvalidData.into()))
    }

    /// The request of `struct inet_diag_req_v2` behind its `struct nlmsghdr`: the socket at `theirs` whose peer is `ours`.
    fn question(theirs: SocketAddr, ours: SocketAddr) -> Vec<u8> {
        let family = if theirs.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let mut bytes = Vec::with_capacity(72);
        bytes.extend(72u32.to_ne_bytes());
        bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        bytes.extend(NLM_F_REQUEST.to_ne_bytes());
        bytes.extend(number(theirs, ours).to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend([u8::try_from(family.as_raw()).unwrap_or_default(), TCP, 0, 0]);
        bytes.extend(u32::MAX.to_ne_bytes());
        bytes.extend(theirs.port().to_be_bytes());
        bytes.extend(ours.port().to_be_bytes());
        bytes.extend(padded(theirs.ip()));
        bytes.extend(padded(ours.ip()));
        bytes.extend([0; 4]);
        bytes.extend([0xff; 8]);
        bytes
    }

    fn padded(ip: IpAddr) -> [u8; 16] {
        match ip {
            IpAddr::V6(ip) => ip.octets(),
            IpAddr::V4(ip) => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&ip.octets());
                bytes
            }
        }
    }

    /// The owner in the kernel's answer, `struct inet_diag_msg` behind its header; `None` when it cannot be read.
    pub(super) fn read(answer: &[u8], asked: u32) -> Option<io::Result<Option<u32>>> {
        let number = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
        if number(8)? != asked {
            return None;
        }
        let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
        if kind == NLMSG_ERROR {
            let code = number(16)?.cast_signed();
            let gone = (code == NO_SUCH_SOCKET).then_some(None);
            return Some(gone.ok_or_else(|| io::Error::from_raw_os_error(-code)));
        }
        let (state, uid, inode) = (*answer.get(17)?, number(80)?, number(84)?);
        // A socket that was closed has no inode, and says that root owns it.
        (kind == SOCK_DIAG_BY_FAMILY).then_some(Ok((state != LISTENING && inode != 0).then_some(uid)))
    }
}

/// The kernel's sockets as a list (proc(5)): slower, and always there.
#[cfg(target_os = "linux")]
mod table {
    use std::io;
    use std::net::{IpAddr, SocketAddr};

    /// The owner's id; `None` when no process holds that socket any more.
    pub(super) fn owner(theirs: SocketAddr, ours: SocketAddr) -> io::Result<Option<u32>> {
        let four = theirs.is_ipv4().then(|| std::fs::read_to_string("/proc/net/tcp")).transpose()?.unwrap_or_default();
        // A socket for both sorts of addresses is listed here with the longer one.
        let six = std::fs::read_to_string("/proc/net/tcp6");
        let six = if theirs.is_ipv4() { six.unwrap_or_default() } else { six? };
        Ok(find(&four, &written(theirs), &written(ours)).or_else(|| find(&six, &mapped(theirs), &mapped(ours))))
    }

    /// The owner of the socket in a list, unless it was closed.
    fn find(list: &str, theirs: &str, ours: &str) -> Option<u32> {
        let row = list.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
        let row = row.into_iter().find(|row| row.get(1) == Some(&theirs) && row.get(2) == Some(&ours))?;
        let is_held = row.get(9).is_some_and(|inode| *inode != "0");
        row.get(7).filter(|_| is_held)?.parse().ok()
    }

    /// An address as it stands in the list: words of four bytes in this machine's order.
    fn written(address: SocketAddr) -> String {
        let bytes = match address.ip() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let words = bytes.as_chunks::<4>().0.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word)));
        format!("{}:{:04X}", words.collect::<String>(), address.port())
    }

    fn mapped(address: SocketAddr) -> String {
        let ip = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        written(SocketAddr::new(ip.into(), address.port()))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn an_answer_to_another_question_is_none() {
        let mut answer = [0u8; 88];
        answer[4..6].copy_from_slice(&20u16.to_ne_bytes());
        answer[8..12].copy_from_slice(&7u32.to_ne_bytes());
        answer[17] = 1;
        answer[80..84].copy_from_slice(&1_000u32.to_ne_bytes());
        answer[84..88].copy_from_slice(&1u32.to_ne_bytes());
        assert_eq!(diag::read(&answer, 7).unwrap().unwrap(), Some(1_000));
        assert!(diag::read(&answer, 8).is_none());
    }

    #[test]
    fn an_own_connection_is_known_and_a_closed_one_is_nobodys() {
        for listener in [TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), TcpListener::bind((Ipv6Addr::LOCALHOST, 0))] {
            let Ok(listener) = listener else { continue };
            let ours = listener.local_addr().unwrap();
            let stream = TcpStream::connect(ours).unwrap();
            let theirs = stream.local_addr().unwrap();
            let (_accepted, peer) = listener.accept().unwrap();
            assert_eq!(peer, theirs);
            assert_eq!(owner(theirs, ours), Owner::Us);
            let uid = Some(rustix::process::geteuid().as_raw());
            assert_eq!((diag::owner(theirs, ours).unwrap(), table::owner(theirs, ours).unwrap()), (uid, uid));
            drop(stream);
            assert_eq!(owner(theirs, ours), Owner::Other);
            assert_eq!((diag::owner(theirs, ours).unwrap(), table::owner(theirs, ours).unwrap()), (None, None));
        }
    }
}
