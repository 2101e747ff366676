//! The server's log: a line of JSON an event, in two files of a mebibyte at most. What is logged is what happens to the server;
//! no messages, no requests, no secrets.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::model::Millis;
use crate::private::{self, Purpose};

/// A file this long is put aside, and the one before it goes.
const LIMIT: u64 = 1 << 20;
/// A line longer than this is cut, in bytes: no event needs as much.
const LINE: usize = 4 << 10;

/// A log in a file; parent and child write to the same one.
#[derive(Clone, Debug)]
pub struct Log {
    path: PathBuf,
}

impl Log {
    /// The log in this file, which is made when there is something to say.
    pub fn at(path: PathBuf) -> Log {
        Log { path }
    }

    /// Its file; the one before it has `.1` behind its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an event. A log that cannot be written stops nobody.
    pub fn line(&self, now: Millis, event: &str, details: Value) {
        let mut entry = json!({ "at": now, "process": std::process::id(), "event": event });
        if let (Some(entry), Value::Object(details)) = (entry.as_object_mut(), details) {
            entry.extend(details);
        }
        let mut line = entry.to_string();
        if line.len() > LINE {
            line = json!({ "at": now, "process": std::process::id(), "event": event, "cut": true }).to_string();
        }
        let _ = self.append(&format!("{line}\n"));
    }

    fn append(&self, line: &str) -> io::Result<()> {
        loop {
            let mut file = private::open(&self.path, Purpose::Append).map_err(io::Error::other)?;
            // Of two that find the file too long one puts it aside; the lock goes with the file.
            file.lock()?;
            if file.metadata()?.len() + (line.len() as u64) <= LIMIT {
                return file.write_all(line.as_bytes());
            }
            if is_there(&file, &self.path) {
                fs::rename(&self.path, self.path.with_extension("log.1"))?;
            }
        }
    }
}

/// Whether an open file is still the one at this path.
fn is_there(file: &fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let key = |meta: fs::Metadata| (meta.dev(), meta.ino());
    matches!((file.metadata().map(key), fs::metadata(path).map(key)), (Ok(here), Ok(there)) if here == there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_of_a_mebibyte_hold_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::at(folder.path().join("serve.log"));
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let log = log.clone();
                let write = move || {
                    for n in 0..3_000 {
                        log.line(Millis(0), "died", json!({ "writer": writer, "n": n, "why": "x".repeat(200) }));
                    }
                };
                std::thread::spawn(write)
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        for name in names {
            let text = fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(text.len() as u64 <= LIMIT && text.len() > 1_000);
            assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["event"] == "died"));
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::at(folder.path().join("serve.log"));
        log.line(Millis(0), "died", json!({ "how": "a\nb\u{1b}[31m" }));
        log.line(Millis(0), "died", json!({ "how": "x".repeat(10_000) }));
        let text = fs::read_to_string(log.path()).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(
            !text.contains('\u{1b}') && text.ends_with("\"cut\":true}\n") || text.contains("\"cut\":true"),
            "{text}"
        );
    }
}
