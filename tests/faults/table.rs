//! Runs faults, prints what came of them, and writes the table of `docs/reliability.md`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::chance;
use crate::faults::{Case, FAULTS, Fault};
use crate::field::On;
use crate::judge::Verdict;

/// How many runs go on at once: they mostly wait.
const AT_ONCE: usize = 6;

/// One line of the table.
struct Row {
    fault: &'static Fault,
    on: On,
    verdict: Option<Verdict>,
}

/// Runs every fault on every store that it is for, or those that `POSTINO_FAULT` and `POSTINO_ON` name.
fn run_all(full: bool) -> (u64, Vec<Row>) {
    let seed = chance::seed();
    let wanted = |name: &str, given: Option<String>| given.is_none_or(|given| given.split(',').any(|one| one == name));
    let jobs: Vec<(&'static Fault, On)> = FAULTS
        .iter()
        .filter(|fault| wanted(fault.name, given("POSTINO_FAULT")))
        .flat_map(|fault| fault.stores.iter().map(move |on| (fault, *on)))
        .filter(|(_, on)| wanted(on.name(), given("POSTINO_ON")) && on.is_there())
        // Two makes of server speak alike: a smoke takes one of them, and the other for the start of the list.
        .filter(|(fault, on)| full || *on != On::Redis || ["none", "kill"].contains(&fault.name))
        .collect();
    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((fault, on)) = jobs.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let begin = Instant::now();
                    let case = Case { seed: mix(seed, fault.name, *on), on: *on, full };
                    let verdict = (fault.strike)(&case);
                    tell(fault, *on, verdict.as_ref(), begin);
                    rows.lock().unwrap().push(Row { fault, on: *on, verdict });
                }
            });
        }
    });
    (seed, rows.into_inner().unwrap())
}

#[expect(clippy::disallowed_methods, reason = "what to repeat is told to the tests, not to postino")]
fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

/// A seed for each row, so that one alone makes the same choices as among all.
fn mix(seed: u64, name: &str, on: On) -> u64 {
    let text = format!("{name} {}", on.name());
    text.bytes().fold(seed, |mixed, byte| (mixed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn tell(fault: &Fault, on: On, verdict: Option<&Verdict>, begin: Instant) {
    let (name, on, took) = (fault.name, on.name(), begin.elapsed().as_secs());
    match verdict {
        Some(v) => println!(
            "{name:<14} {on:<9} {took:>3} s  attempts {} ok {} refused {} unknown {} duplicates {} lost {} forgotten {} broken {}",
            v.attempts,
            v.ok,
            v.fail,
            v.info,
            v.duplicates,
            v.lost,
            v.forgotten,
            v.breaches.len()
        ),
        None => println!("{name:<14} {on:<9} cannot be tried on this machine"),
    }
    for breach in verdict.iter().flat_map(|verdict| &verdict.breaches).take(20) {
        println!("    {:?}: {}", breach.rule, breach.what);
    }
}

/// Fails when a promise was broken; says how to repeat that.
fn expect_kept(rows: &[Row]) {
    let broken = rows.iter().filter(|row| row.verdict.as_ref().is_some_and(|verdict| !verdict.breaches.is_empty()));
    let broken: Vec<String> = broken.map(|row| format!("{} on {}", row.fault.name, row.on.name())).collect();
    assert!(broken.is_empty(), "promises were broken by {broken:?}; the seed is above");
}

#[test]
fn a_smoke_of_every_fault_breaks_no_promise() {
    expect_kept(&run_all(false).1);
}

#[test]
#[ignore = "half an hour: `just faults` runs it"]
fn every_fault_breaks_no_promise() {
    let (seed, rows) = run_all(true);
    // Of another program than this tree's the page tells nothing.
    if given("POSTINO_TEST_PROGRAM").is_none() {
        write(seed, &rows);
    }
    expect_kept(&rows);
}

/// Where the table stands in the page.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reliability.md");
const MARKS: [&str; 2] = ["<!-- table: just faults -->", "<!-- end of table -->"];
const HEAD: &str = "| fault | what strikes | store | calls | ok | refused | unknown | duplicates | lost | forgotten | \
                    promises broken | seed |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n";

/// Writes the rows into the page's table; what did not run stays as it was.
fn write(seed: u64, rows: &[Row]) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (head, rest) = page.split_once(MARKS[0]).unwrap();
    let (before, tail) = rest.split_once(MARKS[1]).unwrap();
    let mut table = HEAD.to_owned();
    for fault in FAULTS {
        for on in fault.stores {
            let name = format!("| `{}` | {} | {} |", fault.name, fault.what, on.name());
            let now = rows.iter().find(|row| row.fault.name == fault.name && row.on == *on);
            let known = before.lines().find(|line| line.starts_with(&name)).map(str::to_owned);
            let line =
                now.and_then(|row| row.verdict.as_ref()).map(|verdict| format!("{name} {}", cells(verdict, seed)));
            table.extend(line.or(known).map(|line| line + "\n"));
        }
    }
    std::fs::write(PAGE, format!("{head}{}\n\n{table}\n{}{tail}", MARKS[0], MARKS[1])).unwrap();
}

/// What came of a row, as cells.
fn cells(v: &Verdict, seed: u64) -> String {
    let broken = v.breaches.len() as u64;
    let counts = [v.attempts, v.ok, v.fail, v.info, v.duplicates, v.lost, v.forgotten, broken, seed];
    counts.map(|count| count.to_string() + " |").join(" ")
}

#[test]
fn the_page_tells_of_the_faults_that_there_are() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let is_known = |row: &str| {
        FAULTS.iter().any(|fault| {
            let mut names =
                fault.stores.iter().map(|on| format!("| `{}` | {} | {} |", fault.name, fault.what, on.name()));
            names.any(|name| row.starts_with(&name))
        })
    };
    assert!(rows.len() > 50, "run `just faults`");
    assert!(rows.iter().all(|row| is_known(row)), "the page tells of other faults: run `just faults`");
    // Calls, ok, refused, unknown, duplicates, lost, forgotten, broken: nothing lost and nothing broken.
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!((cells[9], cells[11]), ("0", "0"), "{row}");
    }
}
