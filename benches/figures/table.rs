//! The table on stdout. It knows how a figure reads, not how it came about.
#![expect(clippy::print_stdout, reason = "the table is the answer")]

use std::time::Duration;

use crate::http::Load;
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

/// The longest that 99 of 100 requests may take.
const P99: Duration = Duration::from_millis(50);

/// Prints how many requests a second were answered, beside those of a trivial server and the bar where there are any, and the
/// time of the slowest but one of a hundred.
pub(crate) fn load(what: &str, store: &str, load: &Load, beside: Option<(f64, f64)>) {
    let rate = |rate: f64| format!("{rate:.0}/s");
    let (base, bar) = beside.map(|(base, bar)| (rate(base), rate(bar))).unwrap_or_default();
    let over = beside.is_some_and(|(_, bar)| load.rate < bar || load.p99 > P99);
    println!(
        "{what:<44} {store:<9} {:>9} {base:>9} {:>6} {bar:>5}{}  p99 {}",
        rate(load.rate),
        "",
        mark(over),
        shown(load.p99)
    );
}

/// Prints a ratio with its bar.
pub(crate) fn times(what: &str, store: &str, ratio: f64, bar: f64) {
    println!("{what:<44} {store:<9} {:>9} {:>9} {ratio:>6.2} {bar:>5.1}{}", "", "", mark(ratio > bar));
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
