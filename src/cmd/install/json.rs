//! Settings in JSON documents, put in and taken out by editing the text: every byte that is not postino's stays.
//!
//! A template says what is to be there. Its sections are merged, and what stands in them is a whole: a member is put in
//! where its key is missing, an element where no equal one is. New ones go to the end, because clients tell entries apart
//! by their number (Codex keeps the trust in a hook under it). It knows no files and no clients.

mod document;
mod place;
mod setting;

use jsonc_parser::ast::Value;
use serde_json::Value as Json;

use self::document::{array, elements, find, line_at, members, object, parse, range, values, walk};
use self::setting::{Setting, pointer, settings};
use super::edit::{Edited, Flaw, Made};

pub use self::document::Dialect;
pub use self::place::newline;

/// What the root is called in a flaw.
const ROOT: &str = "its whole";

/// The document with everything in it that the template asks for.
pub fn put(text: &str, dialect: Dialect, template: &str) -> Result<Edited, Flaw> {
    let mut edited = Edited { text: text.to_owned(), ..Edited::default() };
    if text.trim().is_empty() {
        edited.text.insert_str(0, "{}");
        edited.made.add(String::new());
    }
    for setting in settings(template)? {
        put_one(&mut edited, dialect, &setting)?;
    }
    Ok(edited)
}

fn put_one(edited: &mut Edited, dialect: Dialect, setting: &Setting) -> Result<(), Flaw> {
    let text = edited.text.clone();
    let root = parse(&text, dialect)?;
    let mut inside = object(&text, &root, ROOT)?;
    for (depth, key) in setting.path.iter().enumerate() {
        let Some(index) = find(inside, key) else {
            edited.text = members(&text, inside).append(&setting.member(depth));
            edited.made.add(pointer(&setting.path[..=depth]));
            return Ok(());
        };
        let value = &inside.properties[index].value;
        if depth + 1 < setting.path.len() {
            inside = object(&text, value, key)?;
        } else if setting.element {
            put_element(edited, &text, value, setting)?;
        } else if Json::from(value.clone()) != setting.value {
            let line = line_at(&text, range(value).start);
            edited.notes.push(format!("{} on line {line} is set to something else, and stays", setting.pointer()));
        }
    }
    Ok(())
}

fn put_element(edited: &mut Edited, text: &str, value: &Value<'_>, setting: &Setting) -> Result<(), Flaw> {
    let array = array(text, value, &pointer(&setting.path))?;
    let (places, values) = (elements(text, array), values(array));
    if values.contains(&setting.value) {
        return Ok(());
    }
    match values.iter().position(|value| setting.resembles(value)) {
        Some(index) => {
            let line = line_at(text, places.items[index].start);
            edited.notes.push(format!("{} has an entry of your own for it on line {line}", pointer(&setting.path)));
        }
        None => {
            edited.text = places.append(&setting.text);
            edited.made.add(setting.pointer());
        }
    }
    Ok(())
}

/// The document without what the template put there. With `made` only what stands in it leaves, and containers that are
/// empty then; without it everything leaves that equals the template. What the file needs whoever wrote it leaves last: it stays
/// with what others put there.
pub fn take(text: &str, dialect: Dialect, template: &str, made: Option<&Made>) -> Result<Edited, Flaw> {
    let mut edited = Edited { text: text.to_owned(), ..Edited::default() };
    if text.trim().is_empty() {
        return Ok(edited);
    }
    for setting in settings(template)?.iter().rev() {
        let alone = made.is_some_and(|made| made.0.contains(&setting.pointer()));
        if setting.is_anybodys() && !alone && !is_all(&edited.text, dialect, setting)? {
            continue;
        }
        if made.is_none_or(|made| made.covers(&setting.pointer())) {
            take_one(&mut edited, dialect, setting, made)?;
        } else if without(&mut edited, dialect, setting)?.is_some() {
            edited.notes.push(format!("{} was there before, and stays", pointer(&setting.path)));
        }
    }
    // A document that was blank is blank again.
    let blank = edited.text.trim() == "{}" && made.is_some_and(|made| made.covers(""));
    if blank {
        edited.text = edited.text.replacen("{}", "", 1);
    }
    Ok(edited)
}

fn take_one(edited: &mut Edited, dialect: Dialect, setting: &Setting, made: Option<&Made>) -> Result<(), Flaw> {
    let Some(rest) = without(edited, dialect, setting)? else { return Ok(()) };
    edited.text = rest;
    let containers = setting.path.len() - usize::from(!setting.element);
    for depth in (1..=containers).rev() {
        let path = &setting.path[..depth];
        let ours = made.is_none_or(|made| made.covers(&pointer(path)));
        match without_empty(&edited.text, dialect, path)? {
            Some(rest) if ours => edited.text = rest,
            Some(_) | None => break,
        }
    }
    Ok(())
}

/// Whether nothing else stands in the document.
fn is_all(text: &str, dialect: Dialect, setting: &Setting) -> Result<bool, Flaw> {
    let root = parse(text, dialect)?;
    Ok(root.as_object().is_some_and(|root| root.properties.len() == 1) && walk(&root, &setting.path).is_some())
}

/// The document without this setting; `None` when it does not hold it, which is noted when it holds something like it.
fn without(edited: &mut Edited, dialect: Dialect, setting: &Setting) -> Result<Option<String>, Flaw> {
    let text = edited.text.clone();
    let root = parse(&text, dialect)?;
    let Some((object, index)) = walk(&root, &setting.path) else { return Ok(None) };
    let value = &object.properties[index].value;
    let (container, equal, alike) = match (setting.element, value.as_array()) {
        (false, _) if Json::from(value.clone()) == setting.value => (members(&text, object), Some(index), None),
        (false, _) => (members(&text, object), None, Some(index)),
        (true, None) => return Ok(None),
        (true, Some(array)) => {
            let values = values(array);
            let equal = values.iter().rposition(|value| *value == setting.value);
            (elements(&text, array), equal, values.iter().position(|value| setting.resembles(value)))
        }
    };
    if let (None, Some(index)) = (equal, alike) {
        let line = line_at(&text, container.items[index].start);
        edited.notes.push(format!("{} on line {line} is not as postino wrote it, and stays", pointer(&setting.path)));
    }
    Ok(equal.map(|index| container.remove(index)))
}

/// The document without the container at a path, when that is empty. A comment in it is somebody's.
fn without_empty(text: &str, dialect: Dialect, path: &[String]) -> Result<Option<String>, Flaw> {
    let root = parse(text, dialect)?;
    let Some((object, index)) = walk(&root, path) else { return Ok(None) };
    let value = &object.properties[index].value;
    let inside = range(value).start + 1..range(value).end - 1;
    let container = value.as_object().is_some() || value.as_array().is_some();
    let bare = container && text[inside].trim().is_empty();
    Ok(bare.then(|| members(text, object).remove(index)))
}

/// The value of a document, for comparing.
pub fn value(text: &str, dialect: Dialect) -> Result<Json, Flaw> {
    if text.trim().is_empty() {
        return Ok(Json::Object(serde_json::Map::new()));
    }
    Ok(Json::from(parse(text, dialect)?))
}
