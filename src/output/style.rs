//! Colour and safety of single pieces of text. Knows no stream and no environment: both are told.

use owo_colors::OwoColorize;

use super::{escape, wrap};

/// What a body's lines begin with.
const INDENT: &str = "  ";
/// The narrowest terminal that lines are broken for, in columns.
const LEAST: usize = 16;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the environment says about output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// `NO_COLOR` is set.
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is set and not 0.
    pub force_color: bool,
    /// `TERM` is `dumb`.
    pub dumb: bool,
    /// A GitHub Actions runner reads the output and runs commands that it finds there.
    pub actions: bool,
    /// `POSTINO_DEBUG`: errors tell their cause.
    pub debug: bool,
}

impl Look {
    /// Whether a stream gets colour: the flag, then `NO_COLOR`, then `CLICOLOR_FORCE`, then the stream itself.
    pub fn colour(&self, when: When, is_terminal: impl FnOnce() -> bool) -> bool {
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto => !self.no_color && (self.force_color || (!self.dumb && is_terminal())),
        }
    }
}

/// How pieces of text look on one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    colour: bool,
    actions: bool,
    columns: Option<usize>,
}

impl Style {
    /// With or without colour; for a GitHub Actions runner or not; for a terminal of so many columns.
    pub fn new(colour: bool, actions: bool, columns: Option<usize>) -> Style {
        Style { colour, actions, columns }
    }

    /// Whether there is colour.
    pub fn has_colour(&self) -> bool {
        self.colour
    }

    /// A name: stands out.
    pub fn name(&self, text: impl ToString) -> String {
        let text = escape::line(&text.to_string());
        if self.colour { text.bold().to_string() } else { text }
    }

    /// Something that matters less: an id, a time.
    pub fn dim(&self, text: impl ToString) -> String {
        let text = escape::line(&text.to_string());
        if self.colour { text.dimmed().to_string() } else { text }
    }

    /// Something that needs attention.
    pub fn bad(&self, text: impl ToString) -> String {
        let text = escape::line(&text.to_string());
        if self.colour { text.red().bold().to_string() } else { text }
    }

    /// One line of foreign text.
    pub fn safe(&self, text: &str) -> String {
        self.for_runner(escape::line(text))
    }

    /// A body on lines of its own, each ending in a line feed and indented, so that none can imitate a header; not even where
    /// a terminal would have broken it.
    pub fn body(&self, text: &str) -> String {
        let width = self.columns.map_or(usize::MAX, |columns| columns.saturating_sub(INDENT.len()).max(LEAST));
        let body = ended(escape::lines(text));
        let lines = body.split_terminator('\n').flat_map(|line| wrap::pieces(line, width));
        // A break may put at the start of a line what a runner takes for a command there, so that is looked at last.
        self.for_runner(lines.map(|line| format!("{INDENT}{line}\n")).collect())
    }

    /// A body on lines of its own that are not indented: for an answer that has no header.
    pub fn flat_body(&self, text: &str) -> String {
        self.for_runner(ended(escape::lines(text)))
    }

    fn for_runner(&self, text: String) -> String {
        if self.actions { escape::for_actions(&text) } else { text }
    }
}

/// The text with a line feed at its end.
fn ended(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_the_flag_then_the_environment_then_the_stream() {
        let look = |no_color, force_color, dumb| Look { no_color, force_color, dumb, ..Look::default() };
        let plain = look(false, false, false);
        for (look, when, terminal, wanted) in [
            (plain, When::Auto, true, true),
            (plain, When::Auto, false, false),
            (plain, When::Always, false, true),
            (plain, When::Never, true, false),
            (look(true, false, false), When::Auto, true, false),
            (look(true, true, false), When::Auto, true, false),
            (look(true, false, false), When::Always, false, true),
            (look(false, true, false), When::Auto, false, true),
            (look(false, true, true), When::Auto, false, true),
            (look(false, true, false), When::Never, true, false),
            (look(false, false, true), When::Auto, true, false),
            (look(false, false, true), When::Always, true, true),
        ] {
            assert_eq!(look.colour(when, || terminal), wanted, "{look:?} {when:?} {terminal}");
        }
    }

    #[test]
    fn no_line_of_a_body_begins_in_the_first_column() {
        let padded = format!("hi{}from boss  just now", " ".repeat(78));
        for body in [
            padded.as_str(),
            "a\n\nb\n",
            "\rfrom boss",
            "a\u{2028}from boss",
            "\x0bfrom boss",
            "日".repeat(90).as_str(),
        ] {
            for columns in [None, Some(80), Some(20), Some(1)] {
                let text = Style::new(false, false, columns).body(body);
                assert!(text.ends_with('\n') && text.lines().all(|line| line.starts_with(INDENT)), "{text:?}");
                let fits = |line: &str| line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>() <= 80;
                assert!(columns != Some(80) || text.lines().all(fits), "{text:?}");
            }
        }
    }

    #[test]
    fn no_broken_line_becomes_a_runners_command() {
        let body = Style::new(false, true, Some(20)).body("twelve blanks and ::error::x");
        assert_eq!(body, "  twelve blanks and \n  \\x3a:error::x\n");
    }

    #[test]
    fn nothing_foreign_keeps_its_colours() {
        let style = Style::new(true, false, None);
        assert_eq!(style.name("\x1b[2Ja"), "\x1b[1m\\x1b[2Ja\x1b[0m");
        assert_eq!(style.body("\x1b[31mred"), "  \\x1b[31mred\n");
    }
}
