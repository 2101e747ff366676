//! JSON on one line, safe to print anywhere. It means the same as any other JSON of the value: what would steer a terminal,
//! and what a GitHub Actions runner would take for a command, is written as `\uXXXX`, as JSON allows in every text.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use super::escape::is_risky;

/// The value as one line of JSON, without the line feed.
pub fn line<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Safe))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Compact, with risky characters as escapes.
struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices() {
            if is_risky(c) || fragment[at..].starts_with("##[") {
                writer.write_all(&fragment.as_bytes()[plain..at])?;
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                plain = at + c.len_utf8();
            }
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn risky_characters_are_escaped() {
        let text = "a\u{9b}\u{202e}\u{e0041}\x7f ###[b";
        assert_eq!(line(text).unwrap(), r####""a\u009b\u202e\udb40\udc41\u007f #\u0023#[b""####);
    }

    proptest! {
        #[test]
        fn the_value_is_kept(text in proptest::collection::vec(any::<char>(), 0..100).prop_map(String::from_iter)) {
            let json = line(&text).unwrap();
            prop_assert!(!json.chars().any(is_risky) && !json.contains("##["));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
