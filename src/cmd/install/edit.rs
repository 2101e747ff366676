//! Editing a document: text in, text out, and what was put in. Whatever the format, taking out what was put in gives back
//! the text as it was, to the byte; `put` refuses a document where that would not hold. It knows no files and no clients.

use serde::{Deserialize, Serialize};

use super::json::{self, Dialect};
use super::toml;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON and nothing else.
    Json,
    /// JSON with comments and trailing commas.
    Jsonc,
    /// TOML.
    Toml,
    /// A file that is postino's as a whole.
    Whole,
}

/// A document after an edit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// The text.
    pub text: String,
    /// The places where something was put in, as JSON pointers: `-` stands for an element, an empty one for everything.
    pub made: Made,
    /// What was left as it is, and why.
    pub notes: Vec<String>,
}

/// Why a document is not edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, as the end of a sentence about the document.
    pub what: String,
}

/// Places that were put in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Made(pub Vec<String>);

impl Made {
    /// Whether something was put in at this place, or around it.
    pub fn covers(&self, pointer: &str) -> bool {
        let within = |made: &String| {
            pointer.strip_prefix(made.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.iter().any(within)
    }

    /// Adds a place, unless it lies in one that is known.
    pub fn add(&mut self, pointer: String) {
        if !self.covers(&pointer) {
            self.0.push(pointer);
        }
    }
}

/// What some editors write before the text. It stays where it is and is no part of the text.
const MARK: char = '\u{feff}';

/// The document with everything in it that the template asks for.
pub fn put(text: &str, format: Format, template: &str) -> Result<Edited, Flaw> {
    let edited = on_text(text, |text| put_in(text, format, template))?;
    let back = take(&edited.text, format, template, Some(&edited.made))?;
    if back.text == text {
        return Ok(edited);
    }
    Err(Flaw { line: 1, what: "is laid out so that an edit could not be undone".into() })
}

fn put_in(text: &str, format: Format, template: &str) -> Result<Edited, Flaw> {
    match format {
        Format::Json => json::put(text, Dialect::Strict, template),
        Format::Jsonc => json::put(text, Dialect::Comments, template),
        Format::Toml => toml::put(text, template),
        Format::Whole if text.is_empty() => {
            Ok(Edited { text: template.to_owned(), made: Made(vec![String::new()]), notes: Vec::new() })
        }
        Format::Whole if text == template => Ok(Edited { text: text.to_owned(), ..Edited::default() }),
        Format::Whole => {
            Err(Flaw { line: 1, what: "is not as postino wrote it, and a file of that name is in the way".into() })
        }
    }
}

/// The document without what the template put there: with `made` only what stands in it, else whatever equals the template.
pub fn take(text: &str, format: Format, template: &str, made: Option<&Made>) -> Result<Edited, Flaw> {
    on_text(text, |text| match format {
        Format::Json => json::take(text, Dialect::Strict, template, made),
        Format::Jsonc => json::take(text, Dialect::Comments, template, made),
        Format::Toml => toml::take(text, template, made),
        Format::Whole if text == template && made.is_none_or(|made| made.covers("")) => Ok(Edited::default()),
        Format::Whole => {
            let notes =
                if text.is_empty() { Vec::new() } else { vec!["it is not as postino wrote it, and stays".to_owned()] };
            Ok(Edited { text: text.to_owned(), made: Made::default(), notes })
        }
    })
}

fn on_text(text: &str, edit: impl Fn(&str) -> Result<Edited, Flaw>) -> Result<Edited, Flaw> {
    match text.strip_prefix(MARK) {
        Some(rest) => edit(rest).map(|edited| Edited { text: format!("{MARK}{}", edited.text), ..edited }),
        None => edit(text),
    }
}

#[cfg(test)]
mod tests;
