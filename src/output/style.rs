//! Colour and safety of single pieces of text. Knows no stream and no environment: both are told.

use owo_colors::OwoColorize;

use super::escape;

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
    pub fn colour(&self, when: When, is_terminal: bool) -> bool {
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto => !self.no_color && (self.force_color || (is_terminal && !self.dumb)),
        }
    }
}

/// How pieces of text look on one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    colour: bool,
    actions: bool,
}

impl Style {
    /// With or without colour; for a GitHub Actions runner or not.
    pub fn new(colour: bool, actions: bool) -> Style {
        Style { colour, actions }
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

    /// Something that is well.
    pub fn good(&self, text: impl ToString) -> String {
        let text = escape::line(&text.to_string());
        if self.colour { text.green().to_string() } else { text }
    }

    /// One line of foreign text.
    pub fn safe(&self, text: &str) -> String {
        self.for_runner(escape::line(text))
    }

    /// A body on lines of its own, each ending in a line feed and indented, so that none can imitate a header.
    pub fn body(&self, text: &str) -> String {
        self.flat_body(text).split_terminator('\n').map(|line| format!("  {line}\n")).collect()
    }

    /// A body on lines of its own that are not indented: for an answer that has no header.
    pub fn flat_body(&self, text: &str) -> String {
        let mut safe = self.for_runner(escape::lines(text));
        if !safe.ends_with('\n') {
            safe.push('\n');
        }
        safe
    }

    fn for_runner(&self, text: String) -> String {
        if self.actions { escape::for_actions(&text) } else { text }
    }
}
