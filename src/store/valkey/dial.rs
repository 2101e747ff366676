//! Opening one connection within a limit, and cutting what it may take to what is left. It sends nothing.

use std::net::IpAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use redis::io::tcp::TcpSettings;
use redis::{Client, Connection, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError};

use super::address::Node;

/// Connects within the limit. What the system does without one (looking a name up, waiting for a socket's backlog)
/// is left to a thread that may outlive the attempt.
pub(super) fn connect(node: &Node, tls: bool, limit: Duration) -> std::result::Result<Connection, RedisError> {
    let (addr, may_block) = match node.clone() {
        Node::Unix(path) => (ConnectionAddr::Unix(path.into()), true),
        Node::Tcp(host, port) => {
            let is_name = host.parse::<IpAddr>().is_err();
            if tls {
                (ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }, is_name)
            } else {
                (ConnectionAddr::Tcp(host, port), is_name)
            }
        }
    };
    let redis = RedisConnectionInfo::default().set_skip_set_lib_name();
    let tcp = TcpSettings::default().set_nodelay(true);
    let client = Client::open(addr.into_connection_info()?.set_tcp_settings(tcp).set_redis_settings(redis))?;
    if !may_block {
        return client.get_connection_with_timeout(limit);
    }
    let (sender, receiver) = mpsc::channel();
    let dialer = thread::Builder::new().name("dial".to_owned());
    dialer.spawn(move || sender.send(client.get_connection_with_timeout(limit)))?;
    receiver.recv_timeout(limit).unwrap_or_else(|_| Err(timed_out()))
}

/// Cuts what a read or write may take to what is left.
pub(super) fn set_timeouts(
    connection: &Connection,
    until: Instant,
    longest: Duration,
) -> std::result::Result<(), RedisError> {
    let left = until.saturating_duration_since(Instant::now()).min(longest);
    if left.is_zero() {
        return Err(timed_out());
    }
    connection.set_read_timeout(Some(left))?;
    connection.set_write_timeout(Some(left))
}

/// The failure of what took too long.
pub(super) fn timed_out() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}
