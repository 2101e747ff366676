//! The server that a session's start brings up: once, in nobody's way, with nothing of the session in it.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};

use super::office::{Office, children, until};
use crate::support::{Postino, Ran};

/// A process that stands for a client.
struct Client(Child);

impl Client {
    fn new() -> Client {
        Client(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap())
    }

    /// The command of the hook that is called when a session starts, with its payload.
    fn start(&self, office: &Office<'_>) -> Command {
        let id = self.0.id().to_string();
        let payload = office.postino.home().join(format!("payload-{id}"));
        let json = format!("{{\"session_id\":\"s-{id}\",\"hook_event_name\":\"SessionStart\",\"source\":\"startup\"}}");
        std::fs::write(&payload, json).unwrap();
        let mut command = office.command(&["hook", "session-start"]);
        command.env("POSTINO_CLIENT_PID", id).env("POSTINO_HOOK_MS", "30000").env("POSTINO_AGENT_NAME", "worker");
        command.stdin(std::fs::File::open(payload).unwrap());
        command
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_session_starts_the_server_and_does_not_wait_for_it() {
    let postino = Postino::new();
    let (office, client) = (Office::closed(&postino), Client::new());
    // Reading to the end of both streams shows that the server holds neither.
    let ran = Ran::of(&mut client.start(&office));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("You are \"worker\""), "{}", ran.out);
    let parent = office.parent();
    assert_eq!(office.get("/api/health").0, 200);
    // The next session finds it.
    let other = Client::new();
    assert_eq!(Ran::of(&mut other.start(&office)).code, 0);
    assert_eq!((office.parent(), office.logged("serving")), (parent, 1));
}

#[test]
fn three_sessions_at_once_start_one() {
    let postino = Postino::new();
    let office = Office::closed(&postino);
    let clients = [Client::new(), Client::new(), Client::new()];
    let hooks = clients.each_ref().map(|client| client.start(&office).stdout(Stdio::null()).spawn().unwrap());
    for mut hook in hooks {
        assert!(hook.wait().unwrap().success());
    }
    let parent = office.parent();
    assert_eq!(office.get("/api/health").0, 200);
    assert_eq!((office.logged("serving"), office.logged("failed"), children(parent).len()), (1, 0, 1));
}

#[test]
fn it_is_not_started_when_it_is_not_wanted() {
    let postino = Postino::new();
    let (office, client) = (Office::closed(&postino), Client::new());
    let mut hook = client.start(&office);
    let ran = Ran::of(hook.env("POSTINO_WEB_ENABLED", "false"));
    assert!(ran.out.contains("You are \"worker\""), "{ran:?}");
    assert!(!postino.home().join("postino/serve").exists());
    assert_eq!(office.run(&["serve", "status"]).code, 3);
}

#[test]
fn a_server_that_cannot_start_disturbs_no_session() {
    let postino = Postino::new();
    let (office, client) = (Office::closed(&postino).with("POSTINO_WEB_HOST", "192.0.2.1"), Client::new());
    let office =
        office.with("POSTINO_API_TOKEN", "a-token-that-is-long-enough").with("POSTINO_WEB_NAMES", "postino.test");
    let ran = Ran::of(&mut client.start(&office));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("You are \"worker\""), "{}", ran.out);
    until("the log tells why", || (office.logged("failed") == 1).then_some(()));
    assert_eq!(office.run(&["serve", "status"]).code, 3);
}

/// A variable that a process was started with.
fn variables(pid: u32) -> Vec<(String, String)> {
    let text = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    String::from_utf8(text).unwrap().split('\0').filter_map(pair).collect()
}

#[test]
fn no_secret_and_nothing_of_the_session_is_in_its_processes() {
    let postino = Postino::new();
    let office = Office::closed(&postino).with("POSTINO_API_TOKEN", "token-0123456789abcdef");
    let client = Client::new();
    let mut hook = client.start(&office);
    let of_session = [
        ("ANTHROPIC_API_KEY", "sk-secret"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("CLAUDE_CODE_SESSION_ID", "s-1"),
        ("TERM_SESSION_ID", "w0t0p0:A1B2C3D4"),
        ("PATH", "/usr/bin:/bin"),
        ("LC_ALL", "C.UTF-8"),
        ("XDG_RUNTIME_DIR", "/run/user/1"),
    ];
    assert_eq!(Ran::of(hook.envs(of_session)).code, 0);
    let parent = office.parent();
    for pid in [parent, office.child()] {
        let variables = variables(pid);
        let names: BTreeSet<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
        let wanted = [
            "HOME",
            "LC_ALL",
            "PATH",
            "POSTINO_HOME",
            "POSTINO_HOOK_MS",
            "POSTINO_KEY_PREFIX",
            "POSTINO_WEB_ENABLED",
            "POSTINO_WEB_PORT",
            "XDG_RUNTIME_DIR",
        ];
        assert_eq!(names, wanted.into(), "{pid}");
        assert!(
            variables.iter().all(|(_, value)| !value.contains("secret") && !value.contains("token")),
            "{variables:?}"
        );
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(!line.contains("token") && !line.contains("sqlite"), "{line}");
        let link = |name: &str| std::fs::read_link(format!("/proc/{pid}/{name}")).unwrap();
        assert_eq!(link("cwd"), std::path::Path::new("/"));
        // No stream of a session, and no file of it, is kept.
        for fd in std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
            let file = std::fs::read_link(fd.unwrap().path()).unwrap_or_default().display().to_string();
            assert!(!file.contains("/pts/") && !file.contains("payload"), "{file}");
        }
    }
    let session = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().split_ascii_whitespace().nth(3).unwrap().parse::<u32>().unwrap()
    };
    assert_eq!((session(parent), session(office.child())), (parent, parent));
    // It is nobody's agent: nobody is there but the one who started.
    let (_, agents) = office.ask("GET /api/agents", "");
    assert!(!agents.contains("web-ui") && agents.contains("worker") || agents.contains("error"), "{agents}");
    assert!(office.log().iter().all(|line| !line.to_string().contains("token-0123")));
}
