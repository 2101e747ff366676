//! Any text on its way to a terminal, by every way there is: nothing that steers, reorders or hides gets there.

use super::json;
use super::style::{Look, Style, When};
use super::{Output, error_json};
use crate::error::{Error, Kind};
use crate::fuzz::input::Input;

/// What postino itself says to a terminal.
const OUR_COLOURS: [&str; 5] = ["\u{1b}[0m", "\u{1b}[39m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m"];

/// Any text as a name, a body, a reason and a piece of JSON, with and without colour, for any width and for a runner.
pub fn escape(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (flags, columns) = (input.byte(), usize::from(input.byte()));
    let (colour, actions) = (flags & 1 != 0, flags & 2 != 0);
    let style = Style::new(colour, actions, Some(columns).filter(|columns| *columns > 0));
    let rest = String::from_utf8_lossy(input.rest());
    let text: &str = &rest;
    for line in [style.name(text), style.dim(text), style.bad(text), style.safe(text)] {
        assert_clean(&line);
        assert!(!line.contains(['\n', '\t']), "{line:?}");
    }
    let (body, flat) = (style.body(text), style.flat_body(text));
    assert_clean(&body);
    assert_clean(&flat);
    assert!(body.ends_with('\n') && flat.ends_with('\n'));
    assert!(body.split_terminator('\n').all(|line| line.starts_with("  ")), "{body:?}");
    if actions {
        assert!(!flat.split('\n').any(is_command), "{flat:?}");
        assert!(!body.split('\n').any(is_command), "{body:?}");
    }
    failures(text, colour, actions);
}

/// An error that foreign text got into.
fn failures(text: &str, colour: bool, actions: bool) {
    let error = Error::new(Kind::Other, text).hint(text);
    let when = if colour { When::Always } else { When::Never };
    let output = Output::new(false, false, when, Look { actions, ..Look::default() });
    let shown = output.error_text(&error);
    assert_clean(&shown);
    assert_eq!(shown.matches('\n').count(), 1, "{shown:?}");
    let json = error_json(&error);
    assert_clean(&json);
    assert!(!json.contains("##["));
    let read: Option<serde_json::Value> = serde_json::from_str(&json).ok();
    assert_eq!(read.as_ref().and_then(|read| read["error"]["message"].as_str()), Some(text));
    let line = json::line(text).unwrap_or_default();
    assert_clean(&line);
    assert_eq!(serde_json::from_str::<String>(&line).ok().as_deref(), Some(text));
}

/// What a GitHub Actions runner would run.
fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[")
}

fn assert_clean(text: &str) {
    let foreign = OUR_COLOURS.iter().fold(text.to_owned(), |text, colour| text.replace(colour, ""));
    let found = foreign.chars().find(|c| is_forbidden(*c));
    assert!(found.is_none(), "{found:?} in {text:?}");
}

/// What no terminal may get, in the words of the promise: C0 but line feed and tab, DEL, C1, direction controls, characters of
/// no width, tags. Written apart from `escape`, so that a hole there is seen here.
fn is_forbidden(c: char) -> bool {
    match u32::from(c) {
        0x09 | 0x0a => false,
        0x00..=0x1f | 0x7f..=0x9f => true,
        0x61c | 0x200e | 0x200f | 0x202a..=0x202e | 0x2066..=0x2069 => true,
        0xad | 0x180e | 0x200b..=0x200d | 0x2060..=0x2064 | 0xfeff => true,
        code => (0xe0000..=0xe007f).contains(&code),
    }
}
