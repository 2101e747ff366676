//! Where a server may listen: on loopback freely, elsewhere with a token only. It binds nothing itself.

use std::net::{SocketAddr, ToSocketAddrs};

use super::token::Token;
use crate::error::{Error, Kind, Result};

/// The addresses of a host, judged by what they are and not by how they are written: a name that leads elsewhere than to loopback is
/// no loopback. `Denied` when one of them is reachable from other machines and there is no token, `Usage` for a name that leads nowhere.
pub fn addresses(host: &str, port: u16, token: Option<&Token>) -> Result<Vec<SocketAddr>> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let unknown = || {
        Error::new(Kind::Usage, format!("POSTINO_WEB_HOST is {host:?}, which is no address of this machine"))
            .hint("use 127.0.0.1, or a name or address that this machine has")
    };
    let found: Vec<_> = (bare, port).to_socket_addrs().map_err(|error| unknown().because(error))?.collect();
    if found.is_empty() {
        return Err(unknown());
    }
    if token.is_none() && !found.iter().all(|address| address.ip().is_loopback()) {
        return Err(Error::new(
            Kind::Denied,
            format!("listening on {host} lets other machines in, and there is no token"),
        )
        .hint("set POSTINO_API_TOKEN to 16 characters or more and put TLS in front, or listen on 127.0.0.1"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_elsewhere_needs_a_token() {
        let token = Token::new("0123456789abcdef").unwrap();
        for host in ["0.0.0.0", "::", "[::]", "0", "0x0", "000.0.0.0", "::ffff:0.0.0.0", "0:0:0:0:0:0:0:0", "192.0.2.1"]
        {
            // Some spellings mean nothing to some systems: then they are refused for that.
            let error = addresses(host, 1, None).unwrap_err();
            assert!(matches!(error.kind, Kind::Denied | Kind::Usage), "{host}: {error}");
            assert!(addresses(host, 1, Some(&token)).is_ok() || error.kind == Kind::Usage, "{host}");
        }
        assert_eq!(addresses("0.0.0.0", 1, None).unwrap_err().kind, Kind::Denied);
        assert_eq!(addresses("::", 1, None).unwrap_err().kind, Kind::Denied);
        for host in ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"] {
            assert!(addresses(host, 1, None).is_ok(), "{host}");
        }
    }
}
