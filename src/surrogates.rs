//! JSON of programs that count a text in UTF-16. Cut in the middle of a character, it ends with half of a surrogate pair, which
//! they write as an escape: legal JSON (RFC 8259, section 8.2), and no Unicode. It does not know who wrote it, or what it says.

/// The escape of U+FFFD, without its backslash: what encoders write for a character that cannot be told.
const REPLACEMENT: &[u8; 5] = b"ufffd";
/// The length of an escape in bytes: a backslash, `u`, four hex digits.
const ESCAPE: usize = 6;

/// Puts U+FFFD in the place of each half of a surrogate pair without its other half. The text keeps its length; where it is no
/// JSON it stays none.
pub fn mend(json: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = json[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        at += match (unit(json, at), unit(json, at + ESCAPE)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 2 * ESCAPE,
            (Some(0xD800..=0xDFFF), _) => {
                json[at + 1..at + ESCAPE].copy_from_slice(REPLACEMENT);
                ESCAPE
            }
            (Some(_), _) => ESCAPE,
            (None, _) => 2.min(json.len() - at),
        };
    }
}

/// The UTF-16 unit that an escape here stands for; `None` when there is no such escape.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + ESCAPE)?.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(json: &str) -> String {
        let mut bytes = json.as_bytes().to_vec();
        mend(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn half_a_pair_becomes_the_replacement_character() {
        for (json, text) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\uDE00!""#, "\u{fffd}!"),
            (r#""a\ud83d\ud83d\ude00b""#, "a\u{fffd}\u{1f600}b"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\n\u0041""#, "\u{fffd}\nA"),
            (r#""\ud83d\\ude00""#, "\u{fffd}\\ude00"),
        ] {
            assert!(serde_json::from_str::<String>(json).is_err(), "{json}");
            assert_eq!(serde_json::from_str::<String>(&mended(json)).unwrap(), text, "{json}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for json in [
            "",
            "\\",
            "\"\\",
            "\"\\u",
            "\"\\ud83",
            "\"\\ud83z\"",
            "\"\\u+d83\"",
            r#"{"a":"plain","b":[1,null]}"#,
            r#""\ud83d\ude00 \u00e9 \" \/ \uffff""#,
            r#""\\ud83d""#,
            r#""\\\\ud83d""#,
        ] {
            assert_eq!(mended(json), json);
        }
    }
}
