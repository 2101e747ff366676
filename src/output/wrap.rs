//! Breaks lines for a terminal: one that the terminal broke by itself would go on in the first column, where headers stand.
//!
//! Pure. It knows neither fonts nor tab stops: a tab counts as eight columns and what is not ASCII as two, which is as wide
//! as they get.

/// The line in pieces that are at most `width` columns wide, broken at blanks where there are any; at least one piece.
pub fn pieces(line: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(end) = overflow(rest, width) {
        // A blank far to the left is no better than a break inside the word.
        let blank = rest[..end].rfind(' ').map(|blank| blank + 1).filter(|at| *at > end / 2);
        let (piece, after) = rest.split_at(blank.unwrap_or(end));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// Where the first character that does not fit begins; at least one character fits.
fn overflow(line: &str, width: usize) -> Option<usize> {
    let mut column = 0;
    for (at, c) in line.char_indices() {
        column += match c {
            '\t' => 8,
            c if c.is_ascii() => 1,
            _ => 2,
        };
        if column > width && at > 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(pieces("", 10), [""]);
        assert_eq!(pieces("one two three", 20), ["one two three"]);
        assert_eq!(pieces("one two three", 9), ["one two ", "three"]);
        assert_eq!(pieces("a bcdefghijk", 6), ["a bcde", "fghijk"]);
        assert_eq!(pieces("日本語", 4), ["日本", "語"]);
    }

    proptest! {
        #[test]
        fn pieces_fit_and_lose_nothing(line in "[a-z 日🚀\t]{0,200}", width in 2_usize..100) {
            let pieces = pieces(&line, width);
            prop_assert!(pieces.iter().all(|piece| overflow(piece, width).is_none()));
            prop_assert_eq!(pieces.concat(), line.clone());
        }
    }
}
