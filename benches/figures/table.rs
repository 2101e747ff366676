//! The table: printed as it grows, kept for the document. It knows how a figure reads, not how it came about.
#![expect(clippy::print_stdout, reason = "the table is the answer")]

use std::time::Duration;

use crate::http::Load;
use crate::timing::Pair;

/// The longest that 99 of 100 requests may take.
const P99: Duration = Duration::from_millis(50);

/// The figures so far.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 7]>,
}

impl Table {
    /// Prints the line above the figures.
    pub(crate) fn heading() -> Table {
        println!("\n{:<46} {:<9} {:>9} {:>9} {:>6} {:>8}", "what", "store", "ours", "base", "ratio", "bar");
        Table::default()
    }

    /// A measured time, and the ratio with its bar where there is one.
    pub(crate) fn row(&mut self, what: &str, store: &str, pair: &Pair, bar: Option<f64>) {
        let base = pair.base.map(shown).unwrap_or_default();
        let ratio = pair.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let limit = bar.map(|bar| format!("{bar:.1}")).unwrap_or_default();
        let over = bar.zip(pair.ratio()).is_some_and(|(bar, ratio)| ratio > bar);
        self.add([what.into(), store.into(), shown(pair.ours), base, ratio, limit, mark(over).into()]);
    }

    /// What was counted beside what `/bin/true` needs.
    pub(crate) fn counted(&mut self, what: &str, store: &str, ours: u64, base: Option<u64>) {
        let base = base.map(|base| base.to_string()).unwrap_or_default();
        self.add([what.into(), store.into(), ours.to_string(), base, String::new(), String::new(), String::new()]);
    }

    /// The trips of a verb beside how many there have to be; fewer would mean that another store was measured.
    pub(crate) fn trips(&mut self, what: &str, store: &str, commands: &[String], bar: usize) {
        let differs = if commands.len() == bar { String::new() } else { format!("DIFFERS {}", commands.join(" ")) };
        let ours = commands.len().to_string();
        self.add([what.into(), store.into(), ours, String::new(), String::new(), bar.to_string(), differs]);
    }

    /// How many requests a second were answered, beside those of a trivial server and the bar where there are any, and the time of
    /// the slowest but one of a hundred.
    pub(crate) fn load(&mut self, what: &str, store: &str, load: &Load, beside: Option<(f64, f64)>) {
        let rate = |rate: f64| format!("{rate:.0}/s");
        let (base, bar) = beside.map(|(base, bar)| (rate(base), rate(bar))).unwrap_or_default();
        let over = beside.is_some_and(|(_, bar)| load.rate < bar || load.p99 > P99);
        let note = format!("p99 {} {}", shown(load.p99), mark(over));
        self.add([what.into(), store.into(), rate(load.rate), base, String::new(), bar, note.trim_end().into()]);
    }

    /// A ratio with its bar.
    pub(crate) fn times(&mut self, what: &str, store: &str, ratio: f64, bar: f64) {
        let (none, over) = (String::new, mark(ratio > bar).to_owned());
        self.add([what.into(), store.into(), none(), none(), format!("{ratio:.2}"), format!("{bar:.1}"), over]);
    }

    /// A time with its bar in milliseconds, where there is one.
    pub(crate) fn within(&mut self, what: &str, store: &str, time: Duration, bar: Option<f64>) {
        let limit = bar.map(|bar| format!("{bar:.0} ms")).unwrap_or_default();
        let over = mark(bar.is_some_and(|bar| time.as_secs_f64() * 1e3 > bar)).to_owned();
        self.add([what.into(), store.into(), shown(time), String::new(), String::new(), limit, over]);
    }

    /// A count with the most that it may be.
    pub(crate) fn most(&mut self, what: &str, count: u64, bar: u64) {
        let (none, over) = (String::new, mark(count > bar).to_owned());
        self.add([what.into(), none(), count.to_string(), none(), none(), bar.to_string(), over]);
    }

    /// A size with its bar.
    pub(crate) fn size(&mut self, what: &str, bytes: u64, bar: u64) {
        let megabytes = |bytes: u64| format!("{:.2} MB", bytes as f64 / 1e6);
        let over = mark(bytes > bar).to_owned();
        self.add([what.into(), String::new(), megabytes(bytes), String::new(), String::new(), megabytes(bar), over]);
    }

    /// A figure that could not be had.
    pub(crate) fn missing(&mut self, what: &str, why: &str) {
        let none = String::new;
        self.add([what.into(), none(), none(), none(), none(), none(), format!("MISSING: {why}")]);
    }

    /// The table as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let head = "| what | store | ours | base | ratio | bar | |\n|---|---|---:|---:|---:|---:|---|\n";
        let line = |row: &[String; 7]| format!("| {} |\n", row.join(" | "));
        head.to_owned() + &self.rows.iter().map(line).collect::<String>()
    }

    fn add(&mut self, row: [String; 7]) {
        let [what, store, ours, base, ratio, bar, note] = &row;
        println!("{what:<46} {store:<9} {ours:>9} {base:>9} {ratio:>6} {bar:>8}  {note}");
        self.rows.push(row);
    }
}

fn mark(over: bool) -> &'static str {
    if over { "OVER" } else { "" }
}

fn shown(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
