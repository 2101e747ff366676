//! What SECURITY.md promises, seen from outside: files that are the user's alone, terminals that no text can steer, secrets
//! that are not shown, a server's user with few rights. What one part alone promises is tested there.

mod files;
mod promises;
mod rights;
mod secrets;
mod terminals;

use std::process::{Child, Command, Stdio};

use crate::support::{Postino, Ran};

/// A process that stands for a client, ended with the test.
struct Client(Child);

impl Client {
    fn start() -> Client {
        Client(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap())
    }

    /// A command of this client's session, on the store that is chosen unless the test says otherwise.
    fn command(&self, postino: &Postino, args: &[&str]) -> Command {
        let mut command = postino.command(args);
        command.env("POSTINO_CLIENT_PID", self.0.id().to_string()).env("POSTINO_HOOK_MS", "20000");
        command.env_remove("POSTINO_VALKEY_URL");
        command
    }

    /// Calls a hook of this client.
    fn hook(&self, postino: &Postino, event: &str) -> Ran {
        let payload = postino.home().join("payload");
        std::fs::write(&payload, format!("{{\"session_id\":\"s\",\"hook_event_name\":\"{event}\"}}")).unwrap();
        let mut command = self.command(postino, &["hook", event, "claude"]);
        Ran::of(command.env("POSTINO_DEBUG", "1").stdin(std::fs::File::open(payload).unwrap()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
