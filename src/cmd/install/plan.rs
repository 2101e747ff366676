//! What is to become of which file: planned as a whole before anything is written, so that one file that cannot be edited
//! leaves all as they are.

use std::path::{Path, PathBuf};

use super::edit::{self, Flaw, Format, Made};
use super::file::Found;
use super::record::{Entry, Record};
use crate::error::{Error, Kind, Result};

/// Something that is to stand in a file.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The file.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// What is to stand in it.
    pub template: String,
}

/// What is to become of a file.
#[derive(Clone, Debug)]
pub struct Step {
    /// The file as it was found.
    pub file: Found,
    /// What it is to hold; `None` when it is not to exist.
    pub after: Option<String>,
    /// What is written down about it; `None` when it is forgotten.
    pub entry: Option<Entry>,
    /// What is left as it is, and why.
    pub notes: Vec<String>,
}

impl Step {
    /// Whether the file changes.
    pub fn changes(&self) -> bool {
        self.file.text != self.after
    }

    /// The step, when its file may be replaced as far as that can be seen beforehand.
    fn possible(self) -> Result<Step> {
        if self.changes() && self.after.is_some() {
            self.file.may_be_replaced()?;
        }
        Ok(self)
    }

    /// Carries it out.
    pub fn apply(&self, record: &mut Record) -> Result<()> {
        if let Some(entry) = &self.entry {
            // Written down first: an entry for something that then was not put in does no harm.
            record.put(entry.clone())?;
        }
        match &self.after {
            Some(text) if self.changes() => self.file.replace(text)?,
            None if self.changes() => self.file.remove()?,
            Some(_) | None => {}
        }
        if self.entry.is_none() {
            let known = record.find(&self.file.path).cloned();
            for folder in known.iter().flat_map(|entry| entry.folders.iter().rev()) {
                // One that somebody else uses by now is not empty, and stays.
                let _ = std::fs::remove_dir(folder);
            }
            record.forget(&self.file.path)?;
        }
        Ok(())
    }
}

/// The steps that put everything in.
pub fn put(wanted: &[Wanted], record: &Record) -> Result<Vec<Step>> {
    by_file(wanted).into_iter().map(|(path, wanted)| put_file(path, &wanted, record)?.possible()).collect()
}

fn put_file(path: &Path, wanted: &[&Wanted], record: &Record) -> Result<Step> {
    let file = Found::read(path)?;
    let before = file.text.clone().unwrap_or_else(|| blank(wanted[0].format).to_owned());
    let (mut text, mut made, mut notes) = (before.clone(), Made::default(), Vec::new());
    for wanted in wanted {
        // What is wrong is told by its line in the file as it is, not as it would be by now.
        let told = |flaw| edit::put(&before, wanted.format, &wanted.template).err().unwrap_or(flaw);
        let edited = edit::put(&text, wanted.format, &wanted.template).map_err(|flaw| refused(path, told(flaw)))?;
        text = edited.text;
        edited.made.0.into_iter().for_each(|pointer| made.add(pointer));
        notes.extend(edited.notes);
    }
    let known = record.find(path).filter(|known| holds(&before, wanted, known)).cloned();
    let mut entry = known.unwrap_or_else(|| Entry {
        path: path.to_owned(),
        created: file.text.is_none(),
        folders: if file.text.is_none() { file.missing_folders() } else { Vec::new() },
        made: Made::default(),
    });
    made.0.into_iter().for_each(|pointer| entry.made.add(pointer));
    Ok(Step { after: Some(text), entry: Some(entry), notes, file })
}

/// Whether anything that was written down about a file still stands in it; if not, its story begins anew.
fn holds(text: &str, wanted: &[&Wanted], known: &Entry) -> bool {
    let taken = |wanted: &&Wanted| edit::take(text, wanted.format, &wanted.template, Some(&known.made));
    wanted.iter().any(|wanted| taken(wanted).is_ok_and(|taken| taken.text != text))
}

/// The steps that take everything out.
pub fn take(wanted: &[Wanted], record: &Record) -> Result<Vec<Step>> {
    by_file(wanted).into_iter().map(|(path, wanted)| take_file(path, &wanted, record)?.possible()).collect()
}

fn take_file(path: &Path, wanted: &[&Wanted], record: &Record) -> Result<Step> {
    let file = Found::read(path)?;
    let known = record.find(path);
    let Some(before) = file.text.clone() else {
        return Ok(Step { file, after: None, entry: None, notes: Vec::new() });
    };
    let made = known.map(|known| &known.made);
    let (mut text, mut notes) = (before, Vec::new());
    for wanted in wanted.iter().rev() {
        let edited = edit::take(&text, wanted.format, &wanted.template, made).map_err(|flaw| refused(path, flaw))?;
        text = edited.text;
        notes.extend(edited.notes);
    }
    let whole = wanted.iter().all(|wanted| wanted.format == Format::Whole);
    let ours = known.map_or(whole, |known| known.created);
    let after = (!ours || !text.trim().is_empty()).then_some(text);
    Ok(Step { file, after, entry: None, notes })
}

/// What a file is made from.
fn blank(format: Format) -> &'static str {
    match format {
        Format::Json | Format::Jsonc => "\n",
        Format::Toml | Format::Whole => "",
    }
}

/// What is wanted, file by file, in the order of first mention.
fn by_file(wanted: &[Wanted]) -> Vec<(&Path, Vec<&Wanted>)> {
    let mut files: Vec<(&Path, Vec<&Wanted>)> = Vec::new();
    for one in wanted {
        match files.iter_mut().find(|(path, _)| *path == one.path) {
            Some((_, all)) => all.push(one),
            None => files.push((&one.path, vec![one])),
        }
    }
    files
}

fn refused(path: &Path, flaw: Flaw) -> Error {
    Error::new(Kind::Other, format!("cannot edit {}: line {} {}", path.display(), flaw.line, flaw.what))
        .hint("mend or move the file; nothing was changed")
}
