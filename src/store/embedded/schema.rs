//! The shape of the database file: its tables and the version that tells which shape it is.
//! It knows no rule; few tables and few indexes, because every short process parses them all.

/// The version of this shape; a file with a higher one was written by a newer postino.
pub(super) const VERSION: i64 = 1;

/// How long the log may grow, in bytes, before it is copied back: each lone opener reads it through, so it stays
/// small. 64 pages.
pub(super) const LOG: u64 = 64 * 4_120;

/// The same while a process keeps the file open, and so spares others the reading: 1,000 pages.
pub(super) const LASTING_LOG: u64 = 1_000 * 4_120;

/// Makes the tables of an empty file.
///
/// * `meta` has one row: who may use the store (`phase`), the numbers given out last, the counters, and the
///   number of the last change.
/// * `mailboxes` count what lies in them, so that nobody has to; `name` is the one that does not only forward.
/// * `names` point to mailboxes and say which session holds them.
/// * `mail.due_at` is when the state ends by itself: the TTL, the lease, or when history or a dead letter goes.
/// * `mail_queue` and `mail_due` leave out what is history. A query that wants one of them repeats its condition;
///   the `+` keeps SQLite from taking that for a range to search.
/// * `sum` is a checksum of what was written, see `sum.rs`.
/// * `hist` finds messages by agent, pair and thread: `k` is a letter and what is looked for.
pub(super) const TABLES: &str = "
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL,
  phase INTEGER NOT NULL DEFAULT 0, token TEXT, until INTEGER NOT NULL DEFAULT 0, url TEXT,
  last_mail INTEGER NOT NULL DEFAULT 0, first_mail INTEGER NOT NULL DEFAULT 0,
  last_mailbox INTEGER NOT NULL DEFAULT 0, last_broadcast INTEGER NOT NULL DEFAULT 0,
  last_generation INTEGER NOT NULL DEFAULT 0,
  sent INTEGER NOT NULL DEFAULT 0, taken INTEGER NOT NULL DEFAULT 0, expired INTEGER NOT NULL DEFAULT 0,
  died INTEGER NOT NULL DEFAULT 0, trimmed INTEGER NOT NULL DEFAULT 0,
  dead_trimmed INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0,
  change INTEGER NOT NULL DEFAULT 0);
CREATE TABLE mailboxes (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL,
  ready INTEGER NOT NULL DEFAULT 0, urgent INTEGER NOT NULL DEFAULT 0,
  leased INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,
  cursor INTEGER NOT NULL DEFAULT 0, missed INTEGER NOT NULL DEFAULT 0, arrivals INTEGER NOT NULL DEFAULT 0);
CREATE TABLE names (
  name TEXT PRIMARY KEY, mailbox INTEGER NOT NULL, alias INTEGER NOT NULL,
  generation INTEGER, host_id TEXT, pid INTEGER, started INTEGER, since INTEGER) WITHOUT ROWID;
CREATE TABLE mail (
  seq INTEGER PRIMARY KEY, mailbox INTEGER NOT NULL, state INTEGER NOT NULL, rank INTEGER NOT NULL,
  due_at INTEGER NOT NULL, expires INTEGER NOT NULL, urgent INTEGER NOT NULL, deliveries INTEGER NOT NULL DEFAULT 0,
  nonce INTEGER, taken_at INTEGER, taken_by TEXT, acked_at INTEGER, died_at INTEGER, reason TEXT,
  id BLOB NOT NULL UNIQUE, sender TEXT NOT NULL, recipient TEXT NOT NULL, sent_at INTEGER NOT NULL,
  reply_to BLOB, thread BLOB NOT NULL, via TEXT NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX mail_queue ON mail (mailbox, state, rank) WHERE +state <= 2;
CREATE INDEX mail_due ON mail (mailbox, state, due_at) WHERE +state <= 1;
CREATE INDEX mail_sweep ON mail (due_at);
CREATE TABLE hist (k BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (k, seq)) WITHOUT ROWID;
CREATE TABLE broadcasts (
  number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, mailbox INTEGER NOT NULL, expires INTEGER NOT NULL,
  id BLOB NOT NULL, sender TEXT NOT NULL, sent_at INTEGER NOT NULL, via TEXT NOT NULL,
  sum INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX broadcasts_unseen ON broadcasts (kind, number, mailbox, expires);
CREATE TABLE keys (
  number INTEGER PRIMARY KEY, operation TEXT NOT NULL, sender TEXT NOT NULL, key TEXT NOT NULL,
  fingerprint TEXT NOT NULL, id BLOB NOT NULL, expires INTEGER NOT NULL, UNIQUE (operation, sender, key));
CREATE INDEX keys_due ON keys (expires);
CREATE TABLE events (
  n INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL,
  id BLOB, agent TEXT, sender TEXT, recipient TEXT);
";
