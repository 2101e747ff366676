//! Values of arguments that are no words of the domain: counts and spans. Ranges of counts are the operations' to judge.

use std::time::Duration;

use crate::error::{Error, Kind, Result};

/// The longest wait that may be asked for, in seconds: one day.
const MAX_WAIT_SECS: u64 = 86_400;

/// A whole number.
pub fn whole(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::new(Kind::Usage, format!("{} is not a whole number", quoted(text))))
}

/// How long to wait, in whole seconds, up to one day.
pub fn seconds(text: &str) -> Result<Duration> {
    let legal = text.parse().ok().filter(|secs| *secs <= MAX_WAIT_SECS);
    legal.map(Duration::from_secs).ok_or_else(|| {
        Error::new(Kind::Usage, format!("{} is not a number of seconds to wait", quoted(text)))
            .hint("use a whole number from 0 to 86400")
    })
}

fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(64).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_nothing_else() {
        assert_eq!(whole("-1").unwrap(), -1);
        for text in ["2.5", "", "1e3", "ten", "99999999999999999999"] {
            assert_eq!(whole(text).unwrap_err().kind, Kind::Usage, "{text}");
        }
    }

    #[test]
    fn waits_are_bounded() {
        assert_eq!(seconds("86400").unwrap(), Duration::from_secs(86_400));
        for text in ["-1", "86401", "1.5", "soon", "18446744073709551615"] {
            assert_eq!(seconds(text).unwrap_err().kind, Kind::Usage, "{text}");
        }
    }
}
