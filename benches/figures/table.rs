//! The table on stdout. It knows how a figure reads, not how it came about.
#![expect(clippy::print_stdout, reason = "the table is the answer")]

use std::time::Duration;

use crate::timing::Pair;

/// Prints the line above the figures.
pub(crate) fn heading() {
    println!("\n{:<44} {:<9} {:>9} {:>9} {:>6} {:>5}", "what", "store", "ours", "base", "ratio", "bar");
}

/// Prints a measured time, and the ratio with its bar where there is one.
pub(crate) fn row(what: &str, store: &str, pair: &Pair, bar: Option<f64>) {
    let base = pair.base.map(shown).unwrap_or_default();
    let ratio = pair.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
    let limit = bar.map(|bar| format!("{bar:.1}")).unwrap_or_default();
    let over = bar.zip(pair.ratio()).is_some_and(|(bar, ratio)| ratio > bar);
    println!("{what:<44} {store:<9} {:>9} {base:>9} {ratio:>6} {limit:>5}{}", shown(pair.ours), mark(over));
}

/// Prints what was counted: a number, or the commands one by one.
pub(crate) fn counted(what: &str, store: &str, things: &[String]) {
    println!("{what:<44} {store:<9} {}", things.join(" "));
}

/// Prints the trips of a verb beside how many there have to be; fewer would mean that another store was measured.
pub(crate) fn trips(what: &str, store: &str, commands: &[String], bar: usize) {
    let differs = if commands.len() == bar { "" } else { "  DIFFERS" };
    println!(
        "{what:<44} {store:<9} {:>9} {:>9} {:>6} {bar:>5}{differs}  {}",
        commands.len(),
        "",
        "",
        commands.join(" ")
    );
}

/// Prints a size with its bar.
pub(crate) fn size(what: &str, bytes: u64, bar: u64) {
    let megabytes = |bytes: u64| format!("{:.2} MB", bytes as f64 / 1e6);
    println!(
        "{what:<44} {:<9} {:>9} {:>9} {:>6} {:>5}{}",
        "",
        megabytes(bytes),
        "",
        "",
        megabytes(bar),
        mark(bytes > bar)
    );
}

/// Says that a figure could not be had.
pub(crate) fn missing(what: &str, why: &str) {
    println!("{what:<44} MISSING: {why}");
}

fn mark(over: bool) -> &'static str {
    if over { "  OVER" } else { "" }
}

fn shown(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
