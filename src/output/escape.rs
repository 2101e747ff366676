//! Makes foreign text safe to look at: what would steer a terminal, reorder a line or hide in it is shown as an escape.
//!
//! Pure functions over text. Knows no stream and no colour.

/// How a text may be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// One line: line feeds and tabs are shown as escapes too.
    Line,
    /// Many lines: line feeds and tabs stay.
    Lines,
}

/// The text as one safe line: for names, paths and reasons.
pub fn line(text: &str) -> String {
    escaped(text, Layout::Line)
}

/// The text as safe lines: for bodies. Line feeds and tabs stay as they are.
pub fn lines(text: &str) -> String {
    escaped(text, Layout::Lines)
}

/// Takes the meaning from what a GitHub Actions runner would run as a command when it meets it in a step's output: `::`
/// after any blanks at the start of a line, and the older `##[` anywhere in it.
pub fn for_actions(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (blanks, rest) = line.split_at(line.len() - line.trim_start().len());
        safe.push_str(blanks);
        match rest.strip_prefix("::") {
            Some(rest) => {
                safe.push_str("\\x3a:");
                safe.push_str(&without_marks(rest));
            }
            None => safe.push_str(&without_marks(rest)),
        }
    }
    safe
}

fn without_marks(text: &str) -> String {
    text.replace("##[", "#\\x23[")
}

fn escaped(text: &str, layout: Layout) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' if layout == Layout::Lines => safe.push(c),
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            c if !is_risky(c) => safe.push(c),
            c if c.is_ascii() => safe.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => safe.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        }
    }
    safe
}

/// Whether a character steers a terminal or hides what a person would have to see.
pub fn is_risky(c: char) -> bool {
    // C0, DEL and C1 steer terminals.
    c.is_control()
        || matches!(c,
            // Bidirectional controls reorder what is seen.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // These are invisible: soft hyphen, zero-width spaces and joiners, word joiner and operators, old format controls.
            | '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Line and paragraph separators break lines for some programs.
            | '\u{2028}' | '\u{2029}'
            // Tags and the second set of variation selectors carry hidden text.
            | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every range of risky characters, with plain ones in between.
    fn any_text() -> impl Strategy<Value = String> {
        let risky = prop_oneof![
            proptest::char::range('\0', '\u{9f}'),
            proptest::char::range('\u{200b}', '\u{206f}'),
            proptest::char::range('\u{e0000}', '\u{e01ef}'),
            proptest::sample::select(vec!['\u{ad}', '\u{61c}', '\u{180e}', '\u{feff}', '\u{fffa}', ':', '#', '[']),
        ];
        proptest::collection::vec(prop_oneof![risky, any::<char>()], 0..200).prop_map(String::from_iter)
    }

    /// What a runner would run.
    fn is_command(line: &str) -> bool {
        line.trim_start().starts_with("::") || line.contains("##[")
    }

    proptest! {
        #[test]
        fn no_risky_character_survives(text in any_text()) {
            prop_assert!(!line(&text).chars().any(is_risky));
            prop_assert!(!lines(&text).chars().any(|c| is_risky(c) && c != '\n' && c != '\t'));
            prop_assert_eq!(lines(&text).matches('\n').count(), text.matches('\n').count());
        }

        #[test]
        fn plain_text_stays_as_it_is(text in "[ -~äöü€日本🚀\n\t]*") {
            prop_assert_eq!(lines(&text), text);
        }

        #[test]
        fn no_runner_command_survives(text in "[ \t\n:#\\[\u{a0}\u{3000}a]*") {
            prop_assert!(!for_actions(&text).split('\n').any(is_command), "{:?}", for_actions(&text));
        }
    }

    #[test]
    fn what_is_escaped_can_be_read() {
        assert_eq!(lines("a\x1b[31mb\r\n\u{202e}c\u{9b}\0\x7f"), "a\\x1b[31mb\\r\n\\u{202e}c\\u{9b}\\x00\\x7f");
        assert_eq!(line("a\nb\tc"), "a\\nb\\tc");
        assert_eq!(lines("👩\u{200d}💻 e\u{301} \u{2764}\u{fe0f}"), "👩\\u{200d}💻 e\u{301} \u{2764}\u{fe0f}");
    }

    #[test]
    fn runner_commands_are_told_from_text() {
        assert_eq!(for_actions("  ::error::x\na::b\n"), "  \\x3a:error::x\na::b\n");
        assert_eq!(for_actions("see ##[group]x and ###[y]"), "see #\\x23[group]x and ##\\x23[y]");
    }
}
