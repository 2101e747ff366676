//! Sessions seen from outside: one name in all processes of a client, one live session a name, and shells that take nobody's mail.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Postino, Ran};

/// A living process that stands for a client, and its file in the registry.
struct Client {
    process: Child,
    file: PathBuf,
}

impl Client {
    /// Starts a client whose session has (or wishes) this name.
    fn start(postino: &Postino, name: &str) -> Client {
        let process = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        let started = start_time(process.id());
        let folder = postino.home().join("postino/sessions").join(host_id());
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{}-{started}.json", process.id()));
        let session = format!("session-{}", process.id());
        let registration =
            json!({"client": "claude", "pid": process.id(), "started": started, "sessionId": session, "name": name});
        std::fs::write(&file, registration.to_string()).unwrap();
        Client { process, file }
    }

    /// Runs a command as a process of this client, in a directory whose name would be a guess.
    fn run(&self, postino: &Postino, args: &[&str]) -> Ran {
        Ran::of(shell(postino, args).env("POSTINO_CLIENT_PID", self.process.id().to_string()))
    }

    /// The name that `whoami` tells.
    fn name(&self, postino: &Postino) -> String {
        let ran = self.run(postino, &["whoami", "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.json()["agent"].as_str().unwrap().to_owned()
    }

    fn registration(&self) -> Value {
        serde_json::from_slice(&std::fs::read(&self.file).unwrap()).unwrap()
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The start time of a process: field 22 of `/proc/PID/stat` (proc(5)).
fn start_time(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let mut fields = stat.rsplit(')').next().unwrap().split_ascii_whitespace();
    fields.nth(19).unwrap().parse().unwrap()
}

/// Where the registry keeps this boot's and pid namespace's sessions.
fn host_id() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let space = std::fs::read_link("/proc/self/ns/pid").unwrap().display().to_string();
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let mut hash = Sha256::new();
    for part in [boot.trim(), &space, "0", name.trim()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A command of a plain shell in a directory called `webshop`, with no name given.
fn shell(postino: &Postino, args: &[&str]) -> Command {
    let dir = postino.home().join("webshop");
    std::fs::create_dir_all(&dir).unwrap();
    let mut command = postino.command(args);
    command.current_dir(dir);
    command
}

#[test]
fn a_session_has_its_name_wherever_it_runs() {
    let postino = Postino::new();
    let client = Client::start(&postino, "reviewer");
    assert_eq!(client.name(&postino), "reviewer");
    let elsewhere =
        postino.command(&["whoami", "--json"]).env("POSTINO_CLIENT_PID", client.process.id().to_string()).output();
    assert_eq!(Ran::from(elsewhere.unwrap()).json()["agent"], "reviewer");
    assert!(client.registration()["generation"].as_u64() > Some(0));
}

#[test]
fn a_second_session_with_the_same_wish_gets_the_next_name_and_a_dead_ones_name_is_free() {
    let postino = Postino::new();
    let mut first = Client::start(&postino, "reviewer");
    let second = Client::start(&postino, "reviewer");
    assert_eq!((first.name(&postino).as_str(), second.name(&postino).as_str()), ("reviewer", "reviewer-2"));
    postino.send("ci", "reviewer", "a note for tomorrow");
    first.kill();
    let third = Client::start(&postino, "reviewer");
    assert_eq!(third.name(&postino), "reviewer");
    let read = third.run(&postino, &["read", "--json"]);
    assert_eq!(read.json()["messages"][0]["body"], "a note for tomorrow");
}

#[test]
fn a_plain_shell_takes_no_mail_of_a_live_session() {
    let postino = Postino::new();
    let mut client = Client::start(&postino, "webshop");
    assert_eq!(client.name(&postino), "webshop");
    let id = postino.send("ci", "webshop", "for the session");
    for args in
        [&["read"][..], &["read", "--lease", "60"], &["rename", "mine"], &["clear", "--yes"], &["clear", &id, "--yes"]]
    {
        let refused = Ran::of(&mut shell(&postino, args));
        assert_eq!(refused.code, 5, "{args:?}: {refused:?}");
        assert!(refused.err.contains("--agent"), "{args:?}: {}", refused.err);
    }
    let ask = Ran::of(&mut shell(&postino, &["ask", "ci", "hello?", "--timeout", "1"]));
    assert_eq!((ask.code, postino.json("ci", &["stats"])["sent"].as_u64()), (5, Some(1)), "{ask:?}");
    assert_eq!(Ran::of(&mut shell(&postino, &["check", "--exit-code"])).code, 0);
    assert_eq!(Ran::of(&mut shell(&postino, &["read", "--peek", "--json"])).json()["messages"][0]["id"], id.as_str());
    assert_eq!(Ran::of(&mut shell(&postino, &["send", "ci", "from the shell", "-q"])).code, 0);
    // Named outright it may; and once the client is gone the guess is as good as a name.
    assert_eq!(postino.run("webshop", &["read", "--peek"]).code, 0);
    client.kill();
    let read = Ran::of(&mut shell(&postino, &["read", "--json"]));
    assert_eq!(read.json()["messages"][0]["body"], "for the session");
}

#[test]
fn a_renamed_session_gets_mail_to_both_names_until_it_ends() {
    let postino = Postino::new();
    let mut client = Client::start(&postino, "reviewer");
    postino.send("ci", "critic", "waited under the new name");
    assert_eq!(client.name(&postino), "reviewer");
    postino.send("ci", "reviewer", "to the old name, before");
    assert_eq!(client.run(&postino, &["rename", "critic"]).code, 0);
    assert_eq!(client.name(&postino), "critic");
    postino.send("ci", "reviewer", "to the old name, after");
    postino.send("ci", "critic", "to the new name");
    let read = client.run(&postino, &["read", "--json"]).json();
    let bodies: Vec<&str> = read["messages"].as_array().unwrap().iter().map(|m| m["body"].as_str().unwrap()).collect();
    let wanted = ["waited under the new name", "to the old name, before", "to the old name, after", "to the new name"];
    assert_eq!(bodies, wanted);
    let other = Client::start(&postino, "reviewer");
    assert_eq!(other.name(&postino), "reviewer-2", "the old name is held while the session lives");
    client.kill();
    let next = Client::start(&postino, "reviewer");
    assert_eq!(next.name(&postino), "reviewer");
    postino.send("ci", "reviewer", "for the next one");
    assert_eq!(next.run(&postino, &["read", "--json"]).json()["messages"][0]["body"], "for the next one");
}

#[test]
fn a_session_that_lost_its_name_is_refused_told_and_gets_the_next_one() {
    let postino = Postino::new();
    let mut sleeper = Client::start(&postino, "reviewer");
    assert_eq!(sleeper.name(&postino), "reviewer");
    sleeper.kill();
    let winner = Client::start(&postino, "reviewer");
    assert_eq!(winner.name(&postino), "reviewer");
    // The first session, alive after all: the same claim in a process that runs.
    let awake = Client::start(&postino, "reviewer");
    let mut registration = awake.registration();
    registration["generation"] = json!(1);
    std::fs::write(&awake.file, registration.to_string()).unwrap();
    postino.send("ci", "reviewer", "for the winner");
    let refused = awake.run(&postino, &["read"]);
    assert_eq!((refused.code, refused.out.as_str()), (5, ""));
    assert!(refused.err.contains("reviewer-2"), "{}", refused.err);
    assert_eq!(awake.name(&postino), "reviewer-2");
    assert_eq!(winner.run(&postino, &["read", "--json"]).json()["messages"][0]["body"], "for the winner");
}

#[test]
fn a_process_of_a_session_follows_its_store() {
    let postino = Postino::new();
    let client = Client::start(&postino, "reviewer");
    assert_eq!(client.name(&postino), "reviewer");
    let pid = client.process.id().to_string();
    let mut command = shell(&postino, &["store", "--json"]);
    let store = Ran::of(command.env("POSTINO_CLIENT_PID", pid).env_remove("POSTINO_VALKEY_URL")).json();
    assert!(store["address"].as_str().unwrap().ends_with("data/postino.db"), "{store}");
    assert!(store["reason"].as_str().unwrap().contains("session"), "{store}");
}
