//! The page: one document with its style and scripts inside, joined when postino is built, and the policy that lets exactly
//! these run. It does not know who looks at it.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::answer::Answer;

/// The document, with a place for the style and one for the scripts.
const DOCUMENT: &str = include_str!("../../assets/index.html");
/// The styles, in order.
const STYLES: &[&str] = &[include_str!("../../assets/style.css")];
/// The scripts, in order; they share one scope.
const SCRIPTS: &[&str] = &[
    include_str!("../../assets/boot.js"),
    include_str!("../../assets/dom.js"),
    include_str!("../../assets/api.js"),
    include_str!("../../assets/live.js"),
    include_str!("../../assets/world.js"),
    include_str!("../../assets/drafts.js"),
    include_str!("../../assets/roll.js"),
    include_str!("../../assets/message.js"),
    include_str!("../../assets/dialogs.js"),
    include_str!("../../assets/compose.js"),
    include_str!("../../assets/rail.js"),
    include_str!("../../assets/views.js"),
    include_str!("../../assets/broadcasts.js"),
    include_str!("../../assets/search.js"),
    include_str!("../../assets/overview.js"),
    include_str!("../../assets/main.js"),
];

/// The whole page and its policy.
static PAGE: LazyLock<(String, String)> = LazyLock::new(|| {
    let (style, script) = (STYLES.concat(), SCRIPTS.concat());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        hash(&style),
        hash(&script)
    );
    (DOCUMENT.replacen("/*style*/", &style, 1).replacen("/*script*/", &script, 1), policy)
});

/// The page.
pub(super) fn page() -> Answer {
    let (page, policy) = &*PAGE;
    Answer::page(page, policy)
}

/// Whether a path is one of the page's own addresses.
pub(super) fn is_view(segments: &[&str]) -> bool {
    matches!(segments, [""] | ["broadcasts"] | ["search"] | ["inbox" | "m" | "thread", _])
}

/// The SHA-256 of an inline text, in base64, as a policy names it.
fn hash(text: &str) -> String {
    base64(&Sha256::digest(text.as_bytes()))
}

/// Base64 with padding (RFC 4648 §4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain([0, 0].iter()).take(3).fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        for n in 0..4 {
            let digit = (word >> (18 - 6 * n)) & 63;
            text.push(if n <= chunk.len() { char::from(DIGITS[digit as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text.as_bytes()), coded);
        }
    }
}
