//! What only the embedded store promises: private files, refusal of what is not its own, bounded work, and
//! that one damaged entry harms no other.

mod damage;
mod group;

use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::model::{Standing as MailStanding, State, Via};
use crate::store::{Actor, NewMail, Policy, Sighting, Standing};

/// A directory for one store.
struct Home(TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn file(&self) -> PathBuf {
        self.dir().join("postino.db")
    }

    fn open(&self) -> Embedded {
        Embedded::open(&self.file()).unwrap()
    }

    /// A home with a store in it that holds one message for `bob`.
    fn furnished() -> (Home, MessageId) {
        let home = Home::new();
        let id = send(&home.open(), "bob", "hello", NOW).unwrap().id;
        (home, id)
    }

    fn refusal(&self) -> Error {
        match Embedded::open(&self.file()) {
            Ok(store) => check(&store, "bob").unwrap_err(),
            Err(error) => error,
        }
    }

    fn sql(&self, statements: &str) {
        Connection::open(self.file()).unwrap().execute_batch(statements).unwrap();
    }
}

const NOW: Millis = Millis(1_800_000_000_000);

const POLICY: Policy =
    Policy { ttl: Duration::from_secs(86_400), max_inbox: 20_000, max_broadcasts: 500, max_deliveries: 5 };

fn named(name: &str) -> Actor {
    Actor { name: name.parse().unwrap(), standing: Standing::Named, sighting: None }
}

fn mail(to: &str, body: &str, random: u128) -> NewMail {
    let (to, body) = (to.parse().unwrap(), body.parse().unwrap());
    NewMail { to, body, reply_to: None, once: None, urgent: false, via: Via::Cli, random }
}

fn send(store: &Embedded, to: &str, body: &str, now: Millis) -> Result<Sent> {
    static RANDOM: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let random =
        u128::from(RANDOM.fetch_add(1, std::sync::atomic::Ordering::Relaxed)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    store.send(&Step { by: &named("ann"), now, policy: &POLICY }, &mail(to, body, random))
}

fn check(store: &Embedded, name: &str) -> Result<News> {
    store.check(&Step { by: &named(name), now: NOW, policy: &POLICY })
}

fn lease(store: &Embedded, name: &str) -> crate::store::Batch {
    let step = Step { by: &named(name), now: NOW, policy: &POLICY };
    store.lease(&step, Pick::Head(100), Duration::from_secs(60), 7).unwrap()
}

fn mode(path: PathBuf) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_are_private_and_stay_so() {
    let (home, _) = Home::furnished();
    let sighting = Sighting { state: Some(State::Idle), client: "c".into(), host: "h".into(), project: "p".into() };
    let bob = Actor { sighting: Some(sighting), ..named("bob") };
    let store = home.open();
    store.check(&Step { by: &bob, now: NOW, policy: &POLICY }).unwrap();
    for entry in std::fs::read_dir(home.dir()).unwrap() {
        let path = entry.unwrap().path();
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(path.clone()), expected, "{}", path.display());
    }
    assert_eq!((mode(home.dir()), mode(home.dir().join("presence/bob"))), (0o700, 0o600));
    for (path, open) in [(home.dir(), 0o755), (home.file(), 0o644), (home.dir().join("presence"), 0o777)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(open)).unwrap();
    }
    assert_eq!(check(&home.open(), "bob").unwrap().unread, 1);
    assert_eq!((mode(home.dir()), mode(home.file()), mode(home.dir().join("presence"))), (0o700, 0o600, 0o700));
}

#[test]
fn a_directory_that_others_use_too_is_left_as_it_is() {
    let home = Home::new();
    std::fs::create_dir(home.dir()).unwrap();
    std::fs::write(home.dir().join("somebody's"), "work").unwrap();
    std::fs::set_permissions(home.dir(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(home.refusal().kind, Kind::Denied);
    assert_eq!(mode(home.dir()), 0o755);
    std::fs::remove_file(home.dir().join("somebody's")).unwrap();
    std::fs::set_permissions(home.dir(), std::fs::Permissions::from_mode(0o1777)).unwrap();
    assert_eq!(home.refusal().kind, Kind::Denied, "a sticky directory is everybody's");
}

/// What is wrong with a home, and how to make it so.
type Spoiled<'a> = (&'a str, &'a dyn Fn(&Home));

#[test]
fn links_pipes_and_directories_in_its_place_are_refused() {
    let spoil: [Spoiled<'_>; 8] = [
        ("a symbolic link for the file", &|home| {
            std::fs::rename(home.file(), home.dir().join("real")).unwrap();
            symlink(home.dir().join("real"), home.file()).unwrap();
        }),
        ("a hard link of the file", &|home| std::fs::hard_link(home.file(), home.dir().join("other")).unwrap()),
        ("a directory for the file", &|home| {
            std::fs::remove_file(home.file()).unwrap();
            std::fs::create_dir(home.file()).unwrap();
        }),
        ("a pipe for the file", &|home| {
            std::fs::remove_file(home.file()).unwrap();
            pipe(home.file());
        }),
        ("a symbolic link for the directory", &|home| {
            std::fs::rename(home.dir(), home.0.path().join("real")).unwrap();
            symlink(home.0.path().join("real"), home.dir()).unwrap();
        }),
        ("a symbolic link for wake", &|home| {
            std::fs::remove_file(home.dir().join("wake")).unwrap();
            symlink(home.file(), home.dir().join("wake")).unwrap();
        }),
        ("a pipe for wake", &|home| {
            std::fs::remove_file(home.dir().join("wake")).unwrap();
            pipe(home.dir().join("wake"));
        }),
        ("a symbolic link for presence", &|home| symlink(home.0.path(), home.dir().join("presence")).unwrap()),
    ];
    for (what, spoil) in spoil {
        let (home, _) = Home::furnished();
        spoil(&home);
        let refusal = home.refusal();
        assert_eq!(refusal.kind, Kind::Denied, "{what}: {refusal:?}");
        assert!(refusal.hint.is_some(), "{what}");
    }
}

fn pipe(path: PathBuf) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    // Only root can give files away; for anybody else there is nothing to try.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for name in ["data", "data/postino.db", "data/wake"] {
        let (home, _) = Home::furnished();
        std::os::unix::fs::chown(home.0.path().join(name), Some(12_345), None).unwrap();
        assert_eq!(home.refusal().kind, Kind::Denied, "{name}");
    }
}

#[test]
fn a_newer_file_is_refused_and_left_as_it_is() {
    let (home, _) = Home::furnished();
    let store = home.open();
    check(&store, "bob").unwrap();
    home.sql("PRAGMA user_version = 2; PRAGMA wal_checkpoint(TRUNCATE)");
    let before = std::fs::read(home.file()).unwrap();
    for refusal in [home.refusal(), check(&store, "bob").unwrap_err(), send(&store, "bob", "x", NOW).unwrap_err()] {
        assert_eq!(refusal.kind, Kind::Other);
        assert!(refusal.message.contains("newer postino") && refusal.hint.unwrap().contains("install"));
    }
    assert_eq!(std::fs::read(home.file()).unwrap(), before);
}

#[test]
fn a_foreign_or_damaged_file_is_named_and_left_as_it_is() {
    let garbage: &dyn Fn(&Home) =
        &|home| std::fs::write(home.file(), b"this is no database, but a text\n".repeat(99)).unwrap();
    let foreign: &dyn Fn(&Home) = &|home| home.sql("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    let same_version: &dyn Fn(&Home) = &|home| home.sql("CREATE TABLE theirs (x); PRAGMA user_version = 1");
    for (what, make) in [("garbage", garbage), ("foreign", foreign), ("foreign, same version", same_version)] {
        let home = Home::new();
        home.open();
        make(&home);
        std::fs::set_permissions(home.file(), std::fs::Permissions::from_mode(0o600)).unwrap();
        let before = std::fs::read(home.file()).unwrap();
        for refusal in [home.refusal(), send(&home.open(), "bob", "x", NOW).unwrap_err()] {
            assert_eq!(refusal.kind, Kind::Other, "{what}");
            assert!(refusal.message.contains("postino.db") && refusal.hint.is_some(), "{what}: {refusal:?}");
        }
        assert_eq!(std::fs::read(home.file()).unwrap(), before, "{what}");
    }
}

#[test]
fn damage_inside_a_file_is_told() {
    let (home, _) = Home::furnished();
    for n in 0..200 {
        send(&home.open(), "bob", &"text ".repeat(n + 1), NOW).unwrap();
    }
    home.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let file = std::fs::OpenOptions::new().write(true).open(home.file()).unwrap();
    for page in 1..file.metadata().unwrap().len() / 4096 {
        file.write_all_at(&[0x5a; 4096], page * 4096).unwrap();
    }
    let refusal = home.refusal();
    assert_eq!(refusal.kind, Kind::Other, "{refusal:?}");
    assert!(refusal.message.contains("damaged"), "{refusal:?}");
}

#[test]
fn racing_makers_make_one_store() {
    let home = Home::new();
    let sent: Vec<MessageId> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..12)
            .map(|n| {
                scope.spawn({
                    let home = &home;
                    move || send(&home.open(), "bob", &format!("from {n}"), NOW).unwrap().id
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert_eq!(lease(&home.open(), "bob").messages.len(), sent.len());
}

#[test]
fn who_makes_the_tables_waits_for_whoever_holds_the_empty_file() {
    let home = Home::new();
    Embedded::open(&home.file()).unwrap();
    // SQLite does this for a moment when it clears away what a killed maker of tables left.
    let other = Connection::open(home.file()).unwrap();
    std::fs::set_permissions(home.file(), std::fs::Permissions::from_mode(0o600)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let maker = scope.spawn(|| send(&home.open(), "bob", "hello", NOW));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!maker.is_finished());
        other.execute_batch("ROLLBACK").unwrap();
        maker.join().unwrap().unwrap();
    });
    assert_eq!(check(&home.open(), "bob").unwrap().unread, 1);
}

#[test]
fn an_empty_file_becomes_a_store() {
    let home = Home::new();
    home.open();
    std::fs::write(home.file(), b"").unwrap();
    assert_eq!(check(&home.open(), "bob").unwrap(), News::default());
}

#[test]
fn a_file_that_was_replaced_is_noticed() {
    let (home, _) = Home::furnished();
    let store = home.open();
    assert_eq!(check(&store, "bob").unwrap().unread, 1);
    std::fs::remove_dir_all(home.dir()).unwrap();
    let id = send(&store, "bob", "to the new file", NOW).unwrap().id;
    assert_eq!(lease(&home.open(), "bob").messages[0].id, id);
    assert_eq!(check(&store, "bob").unwrap().unread, 0);
}

#[test]
fn what_cannot_be_read_harms_nothing_else() {
    let (home, first) = Home::furnished();
    let store = home.open();
    for body in ["bad sender", "bad body", "bad id", "bad via"] {
        send(&store, "bob", body, NOW).unwrap();
    }
    let last = send(&store, "bob", "last", NOW).unwrap().id;
    home.sql(
        "UPDATE mail SET sender = 'no name!' WHERE body = 'bad sender';
         UPDATE mail SET id = x'0102' WHERE body = 'bad id';
         UPDATE mail SET via = 'pigeon' WHERE body = 'bad via';
         UPDATE mail SET body = x'ff00' WHERE body = 'bad body'",
    );
    let step = Step { by: &named("bob"), now: NOW, policy: &POLICY };
    let peek = store.peek(&step, 100).unwrap();
    assert_eq!((peek.messages.len(), peek.unreadable.len(), peek.remaining), (2, 4, 0));
    let listing = store.list(&step, 200, From::Offset(0)).unwrap();
    assert_eq!((listing.items.len(), listing.unreadable.len(), listing.total), (2, 4, 6));
    assert_eq!(check(&store, "bob").unwrap().unread, 6);
    let batch = lease(&store, "bob");
    assert_eq!(batch.messages.iter().map(|message| message.id).collect::<Vec<_>>(), [first, last]);
    assert_eq!((batch.unreadable.len(), batch.remaining), (4, 0));
    let dead = store.dead(&step, 100).unwrap();
    assert!(dead.len() == 4 && dead.iter().all(|letter| letter.message.is_none() && letter.reason.starts_with("its ")));
    assert_eq!(store.dead_retry(&step, None).unwrap(), 0, "unreadable ones stay dead");
    assert_eq!(store.history(&step, &HistoryQuery { limit: 100, ..HistoryQuery::default() }).unwrap().len(), 2);
    assert_eq!(store.dead_purge(&step, None).unwrap(), 4);
}

#[test]
fn searches_are_by_index_and_in_its_order() {
    let (home, _) = Home::furnished();
    let sql = Connection::open(home.file()).unwrap();
    let head = format!("SELECT {} FROM mail {}", entry::COLUMNS, reading::HEAD);
    for (query, sorts) in [
        (head, 0),
        (reading::ready(entry::COLUMNS), 1),
        (look::LAST.to_owned(), 0),
        (look::NEWEST.to_owned(), 1),
        (counts::due_of_mailbox(), 0),
    ] {
        let mut explain = sql.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let count = explain.parameter_count();
        let plan: Vec<String> = explain
            .query_map(rusqlite::params_from_iter(vec![1; count]), |row| row.get(3))
            .unwrap()
            .map(|line| line.unwrap())
            .collect();
        assert!(plan.iter().all(|line| !line.starts_with("SCAN")), "{query}: {plan:?}");
        let found = plan.iter().filter(|line| line.contains("TEMP B-TREE")).count();
        assert_eq!(found, sorts, "only what is due is sorted: {query}: {plan:?}");
    }
}

#[test]
fn old_history_dead_letters_and_keys_do_not_pile_up() {
    let home = Home::new();
    let store = home.open();
    let step = |now| (named("bob"), now);
    for n in 0..150u32 {
        send(&store, "bob", "hello", NOW).unwrap();
        let by = named("bob");
        let step = Step { by: &by, now: NOW, policy: &POLICY };
        let batch = store.lease(&step, Pick::Head(1), Duration::from_secs(60), u64::from(n)).unwrap();
        let receipt = batch.messages[0].receipt.unwrap();
        assert_eq!(store.settle(&step, &[receipt], Settle::Ack).unwrap().done, [receipt]);
    }
    let later = NOW.plus(POLICY.ttl).plus(entry::AFTERLIFE);
    for _ in 0..2 {
        let (by, now) = step(later);
        store.lease(&Step { by: &by, now, policy: &POLICY }, Pick::Head(1), Duration::from_secs(60), 1).unwrap();
    }
    let count = |table: &str| -> i64 {
        let sql = Connection::open(home.file()).unwrap();
        sql.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("mail"), count("hist")), (0, 0));
}

#[test]
fn the_last_one_to_leave_does_not_tidy_up() {
    let (home, id) = Home::furnished();
    let log = home.dir().join("postino.db-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0, "the log is left to the next one");
    let step = Step { by: &named("bob"), now: NOW, policy: &POLICY };
    assert_eq!(home.open().find(&step, id).unwrap().unwrap().standing, MailStanding::Waiting);
    for _ in 0..200 {
        send(&home.open(), "bob", "hello", NOW).unwrap();
    }
    let size = std::fs::metadata(&log).unwrap().len();
    assert!(size <= schema::LOG, "{size} bytes in the log");
}

#[test]
fn a_waiter_tells_when_its_store_went_away() {
    let (home, _) = Home::furnished();
    let store = home.open();
    let mut waiter = store.waiter(&Scope::Events).unwrap();
    std::fs::remove_dir_all(home.dir()).unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(10);
    assert_eq!(waiter.wait(until).unwrap_err().kind, Kind::Unreachable);
    assert!(std::time::Instant::now() < until);
}

#[test]
fn every_store_has_an_epoch_of_its_own() {
    let homes = [Home::new(), Home::new()];
    let epochs = homes.each_ref().map(|home| {
        let step = Step { by: &named("bob"), now: NOW, policy: &POLICY };
        home.open().events(&step, None, 1).unwrap().cursor
    });
    assert_ne!(epochs[0].epoch, epochs[1].epoch);
    for cursor in epochs {
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
    }
}

#[test]
fn an_ack_after_the_ttl_can_be_repeated() {
    let (home, _) = Home::furnished();
    let store = home.open();
    let by = named("bob");
    let at = |seconds| Step { by: &by, now: NOW.plus(Duration::from_secs(seconds)), policy: &POLICY };
    let batch = store.lease(&at(86_390), Pick::Head(1), Duration::from_secs(60), 7).unwrap();
    let receipts = [batch.messages[0].receipt.unwrap()];
    for seconds in [86_440, 86_441, 86_440 + 3_599] {
        assert_eq!(store.settle(&at(seconds), &receipts, Settle::Ack).unwrap().done, receipts, "{seconds}");
        assert_eq!(store.find(&at(seconds), receipts[0].id).unwrap(), None, "its TTL is over");
    }
    store.lease(&at(86_440 + 3_600), Pick::Head(1), Duration::from_secs(60), 8).unwrap();
    assert_eq!(store.settle(&at(86_440 + 3_600), &receipts, Settle::Ack).unwrap().stale, receipts);
}

#[test]
fn a_statement_is_compiled_once_whatever_values_it_gets() {
    let (home, _) = Home::furnished();
    let store = home.open();
    let read = |at: i64| {
        let look = |desk: &Desk<'_>| {
            let mut query = desk.sql.prepare_cached("SELECT number FROM keys WHERE expires <= ?1 LIMIT ?2")?;
            query.query_map([at, 1], |_| Ok(()))?.for_each(drop);
            Ok(query.get_status(rusqlite::StatementStatus::RePrepare))
        };
        store.line.read("test", NOW, Entrance::Read, look).unwrap()
    };
    assert_eq!([read(1), read(2), read(3)], [0, 0, 0]);
}
