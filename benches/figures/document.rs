//! Puts figures into `docs/performance.md`, between its marks, and draws their curves beside it. It measures nothing.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::plot::{Curve, svg};
use crate::table::Table;

const START: &str = "<!-- measured -->";
const END: &str = "<!-- end -->";

/// Writes the document anew.
pub(crate) fn write(table: &Table, rounds: usize, server: Option<&str>, curves: &[Curve]) -> Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let path = docs.join("performance.md");
    let text = fs::read_to_string(&path).context("reading docs/performance.md")?;
    let (before, rest) = text.split_once(START).context("the start of the figures is not marked")?;
    let (_, after) = rest.split_once(END).context("the end of the figures is not marked")?;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let server = server.unwrap_or("no server");
    let said = format!("Medians of {rounds} rounds, {cores} cores, {server}.");
    fs::write(&path, format!("{before}{START}\n\n{said}\n\n{}\n{END}{after}", table.markdown()))?;
    let title = "A check right after a change, by what there is";
    fs::write(docs.join("growth.svg"), svg(title, "messages, agents or broadcasts", curves))?;
    Ok(())
}
