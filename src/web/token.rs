//! What callers must know, and the ways to show it: in a header, or in a cookie that a one-time link sets. The token itself is kept
//! as a hash, so nothing here can give it away; every comparison takes the same time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::error::{Error, Kind, Result};
use crate::model::Millis;

/// The shortest token, in bytes.
const LEAST: usize = 16;
/// How long a link is good for.
const LINK: Duration = Duration::from_secs(120);

/// A secret that callers must know.
pub struct Token {
    secret: [u8; 32],
    /// Links that were used, until they would have run out anyhow.
    used: Mutex<BTreeMap<String, Millis>>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Token {
    /// A token of at least 16 bytes; `Denied` for a shorter one.
    pub fn new(text: &str) -> Result<Token> {
        if text.len() < LEAST {
            return Err(Error::new(Kind::Denied, "the API token is shorter than 16 characters")
                .hint("make one with `head -c 24 /dev/urandom | base64`"));
        }
        Ok(Token { secret: Sha256::digest(text.as_bytes()).into(), used: Mutex::default() })
    }

    /// The path of a link that opens the page once, within two minutes, to whoever has it.
    pub fn link(&self, now: Millis, random: u128) -> String {
        let text = format!("{:012x}{random:032x}", now.0);
        format!("/open/{text}{}", hex(&self.keyed("link", &text)))
    }

    /// Whether this is the token.
    pub(super) fn is(&self, text: &str) -> bool {
        same(&self.secret, &Sha256::digest(text.as_bytes()).into())
    }

    /// What the cookie of the server on this port says.
    pub(super) fn cookie(&self, port: u16) -> String {
        hex(&self.keyed("cookie", &port.to_string()))
    }

    /// Whether a cookie says that.
    pub(super) fn is_cookie(&self, text: &str, port: u16) -> bool {
        same(&Sha256::digest(text).into(), &Sha256::digest(self.cookie(port)).into())
    }

    /// Uses a link up: true once, for a code that `link` made less than two minutes ago.
    pub(super) fn redeem(&self, code: &str, now: Millis) -> bool {
        let Some((text, proof)) = code.split_at_checked(44) else { return false };
        let proven = same(&Sha256::digest(proof).into(), &Sha256::digest(hex(&self.keyed("link", text))).into());
        let made = text.get(..12).and_then(|time| i64::from_str_radix(time, 16).ok()).map(Millis);
        let Some(until) = made.map(|made| made.plus(LINK)).filter(|until| proven && *until > now) else { return false };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, until| *until > now);
        used.insert(text.to_owned(), until).is_none()
    }

    /// A hash that only who knows the token can make. Both parts of what is hashed have a fixed length.
    fn keyed(&self, purpose: &str, text: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(Sha256::digest(format!("{purpose}\n{text}")));
        hash.finalize().into()
    }
}

/// Whether two hashes are the same, in a time that does not depend on where they differ.
fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_once_and_not_for_long() {
        let token = Token::new("0123456789abcdef").unwrap();
        let now = Millis(1_700_000_000_000);
        let link = token.link(now, 7);
        let code = link.strip_prefix("/open/").unwrap();
        assert!(!token.redeem(code, now.plus(LINK)));
        for bad in ["", "x", &code[1..], &format!("{code}0"), &code.replace('7', "8")] {
            assert!(!token.redeem(bad, now), "{bad}");
        }
        assert!(!Token::new("0123456789abcdeF").unwrap().redeem(code, now));
        assert!(token.redeem(code, now));
        assert!(!token.redeem(code, now));
        assert!(token.redeem(token.link(now, 8).strip_prefix("/open/").unwrap(), now));
    }

    #[test]
    fn a_token_is_long_and_only_itself() {
        assert_eq!(Token::new("0123456789abcde").unwrap_err().kind, Kind::Denied);
        let token = Token::new("0123456789abcdef").unwrap();
        assert!(token.is("0123456789abcdef"));
        for other in ["", "0123456789abcde", "0123456789abcdef ", "0123456789ABCDEF"] {
            assert!(!token.is(other), "{other}");
        }
        assert!(token.is_cookie(&token.cookie(1), 1) && !token.is_cookie(&token.cookie(1), 2));
        assert!(!format!("{token:?}").contains('0'));
    }
}
