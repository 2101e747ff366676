//! A table in a TOML document: put in as a block at the end, and taken out again. It knows no files and no clients.
//!
//! The block stands verbatim in the document; what TOML makes of the result is looked at before and after, so a block in
//! a text or a comment is not mistaken for the table.

use toml::{Table, Value};

use super::edit::{Edited, Flaw, Made};
use super::json::newline;

/// The document with the template's table in it.
pub fn put(text: &str, template: &str) -> Result<Edited, Flaw> {
    let mut edited = Edited { text: text.to_owned(), ..Edited::default() };
    let (section, name, wanted) = table(template)?;
    let before = parse(text)?;
    let there = before.get(&section).and_then(|tables| tables.get(&name));
    if let Some(there) = there {
        if *there != wanted {
            edited.notes.push(format!("[{section}.{name}] is set to something else"));
        }
        return Ok(edited);
    }
    edited.text = with_block(text, &block(text, template));
    edited.made.add(pointer(&section, &name));
    let expected = before.get(&section).is_none_or(Value::is_table).then(|| {
        let mut after = before.clone();
        let tables = after.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(tables) = tables {
            tables.insert(name.clone(), wanted);
        }
        after
    });
    if expected.is_some() && parse(&edited.text).ok() == expected {
        return Ok(edited);
    }
    let line = text.lines().position(|line| line.trim_start().starts_with(&section)).map_or(1, |line| line + 1);
    Err(Flaw {
        line,
        what: format!("has {section} in a form that no table can be added to; write it as [{section}.NAME]"),
    })
}

/// The document without the template's table; with `made` only when it was put in.
pub fn take(text: &str, template: &str, made: Option<&Made>) -> Result<Edited, Flaw> {
    let mut edited = Edited { text: text.to_owned(), ..Edited::default() };
    let (section, name, wanted) = table(template)?;
    let mut expected = parse(text)?;
    let there = expected.get(&section).and_then(|tables| tables.get(&name)).cloned();
    let Some(there) = there else { return Ok(edited) };
    if made.is_some_and(|made| !made.covers(&pointer(&section, &name))) {
        edited.notes.push(format!("[{section}.{name}] was there before, and stays"));
        return Ok(edited);
    }
    if let Some(Value::Table(tables)) = expected.get_mut(&section) {
        tables.remove(&name);
        if tables.is_empty() {
            expected.remove(&section);
        }
    }
    let rest = |text: &str| {
        parse(text).ok().map(|mut table| {
            if table.get(&section).and_then(Value::as_table).is_some_and(Table::is_empty) {
                table.remove(&section);
            }
            table
        })
    };
    let without = (there == wanted).then(|| without_block(text, &block(text, template)));
    match without.into_iter().flatten().find(|without| rest(without).as_ref() == Some(&expected)) {
        Some(without) => edited.text = without,
        None => edited.notes.push(format!("[{section}.{name}] is not as postino wrote it, and stays")),
    }
    Ok(edited)
}

/// The one table that a template holds: its section, its name, its value.
fn table(template: &str) -> Result<(String, String, Value), Flaw> {
    let found = parse(template)?.into_iter().find_map(|(section, tables)| match tables {
        Value::Table(tables) => tables.into_iter().next().map(|(name, value)| (section, name, value)),
        Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_) => None,
    });
    found.ok_or_else(|| Flaw { line: 1, what: "holds no table".into() })
}

fn parse(text: &str) -> Result<Table, Flaw> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        Flaw { line, what: "is not valid TOML".into() }
    })
}

/// The template's lines in the document's newlines, without the last newline.
fn block(text: &str, template: &str) -> String {
    template.lines().collect::<Vec<_>>().join(newline(text))
}

/// The block goes to the end, after an empty line. A document without a final newline has none afterwards either: that is how the
/// two are told apart when it leaves.
fn with_block(text: &str, block: &str) -> String {
    let newline = newline(text);
    if text.is_empty() {
        format!("{block}{newline}")
    } else if text.ends_with('\n') {
        format!("{text}{newline}{block}{newline}")
    } else {
        format!("{text}{newline}{newline}{block}")
    }
}

/// The document without each place where the block stands on lines of its own.
fn without_block(text: &str, block: &str) -> Vec<String> {
    let newline = newline(text);
    let at = text.match_indices(block).filter(|(at, _)| *at == 0 || text[..*at].ends_with('\n'));
    let cut = |(at, _): (usize, &str)| {
        let (before, after) = (&text[..at], &text[at + block.len()..]);
        let gap = match after.strip_prefix(newline) {
            Some(after) => (newline.to_owned(), after),
            None => (newline.repeat(2), after),
        };
        format!("{}{}", before.strip_suffix(&gap.0).unwrap_or(before), gap.1)
    };
    at.map(cut).collect()
}

fn pointer(section: &str, name: &str) -> String {
    format!("/{section}/{name}")
}
