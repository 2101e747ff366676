//! What a template asks for: its settings one by one, each with its place and its text. It knows no other document.

use jsonc_parser::ast::Value;
use serde_json::Value as Json;

use super::document::{Dialect, object, parse, range};
use crate::cmd::install::edit::Flaw;

/// One thing that is to be there: the value of a key, or an element of the array there.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The keys that lead there, from the root.
    pub path: Vec<String>,
    /// Whether it is an element of the array there.
    pub element: bool,
    /// The value's text, on lines indented by two spaces a level.
    pub text: String,
    /// The value.
    pub value: Json,
}

impl Setting {
    /// Its place, as a JSON pointer; `-` stands for an element.
    pub fn pointer(&self) -> String {
        pointer(&self.path) + if self.element { "/-" } else { "" }
    }

    /// The text of the member that brings it where only the first `depth` keys of its path exist.
    pub fn member(&self, depth: usize) -> String {
        let mut text = self.text.clone();
        if self.element {
            text = format!("[\n{}\n]", indented(&text));
        }
        for key in self.path[depth + 1..].iter().rev() {
            text = format!("{{\n{}\n}}", indented(&format!("{}: {text}", Json::from(key.as_str()))));
        }
        format!("{}: {text}", Json::from(self.path[depth].as_str()))
    }

    /// Whether it could as well be somebody else's, for nothing in it is postino's: the version of the file's format.
    pub fn is_anybodys(&self) -> bool {
        let keys = self.path.iter().map(String::as_str);
        !keys.chain(strings(&self.value)).any(|text| text.contains("postino"))
    }

    /// Whether another value calls a command that this one calls: it is the same setting in other words.
    pub fn resembles(&self, other: &Json) -> bool {
        strings(&self.value).any(|text| text.starts_with("postino ") && strings(other).any(|other| other == text))
    }
}

/// What a template asks for, in its order: the members of its sections, and of these the elements where they are arrays.
pub fn settings(template: &str) -> Result<Vec<Setting>, Flaw> {
    let root = parse(template, Dialect::Strict)?;
    let mut found = Vec::new();
    for section in &object(template, &root, "the template")?.properties {
        let path = vec![section.name.as_str().to_owned()];
        match section.value.as_object() {
            Some(object) => {
                for member in &object.properties {
                    let path = vec![path[0].clone(), member.name.as_str().to_owned()];
                    found.extend(at(template, &path, &member.value));
                }
            }
            None => found.extend(at(template, &path, &section.value)),
        }
    }
    Ok(found)
}

/// The settings at one place.
fn at(template: &str, path: &[String], value: &Value<'_>) -> Vec<Setting> {
    let setting = |value: &Value<'_>, element| Setting {
        path: path.to_vec(),
        element,
        text: outdented(template, range(value)),
        value: Json::from(value.clone()),
    };
    match value.as_array() {
        Some(array) => array.elements.iter().map(|value| setting(value, true)).collect(),
        None => vec![setting(value, false)],
    }
}

/// The text of a range, moved to the left by the indentation of the line that it begins on.
fn outdented(text: &str, range: std::ops::Range<usize>) -> String {
    let start = text[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
    let indent: String = text[start..].chars().take_while(|c| *c == ' ').collect();
    text[range].replace(&format!("\n{indent}"), "\n")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// A path as a JSON pointer. postino's own keys hold nothing that would have to be escaped.
pub fn pointer(path: &[String]) -> String {
    path.iter().map(|key| format!("/{key}")).collect()
}

/// All texts in a value.
fn strings(value: &Json) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Json::String(text) => Box::new(std::iter::once(text.as_str())),
        Json::Array(values) => Box::new(values.iter().flat_map(strings)),
        Json::Object(members) => Box::new(members.values().flat_map(strings)),
        Json::Null | Json::Bool(_) | Json::Number(_) => Box::new(std::iter::empty()),
    }
}
