//! Who am I: the rules that give a process its name, first match wins.
//!
//! `--agent`, the session registry, a session id bound earlier, `POSTINO_AGENT_NAME`, the terminal, the directory. What a
//! name allows is the store's to judge; this module only says on what ground the name is used.

pub mod client;
pub mod process;
pub mod registry;
pub mod session;

use std::path::Path;

use sha2::{Digest, Sha256};

use self::client::CLIENTS;
use self::registry::{Registration, Registry};
use crate::config::{Env, Settings};
use crate::model::{AgentName, Generation};
use crate::store::{Actor, Sighting, Standing};

/// Which rule gave the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `--agent`.
    Flag,
    /// The session registry.
    Session,
    /// A session id that was bound to a name earlier.
    Bound,
    /// `POSTINO_AGENT_NAME`.
    Variable,
    /// The terminal.
    Terminal,
    /// The repository or directory.
    Directory,
}

/// A name, and on what ground it is used.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who acts, as the store has to judge it.
    pub actor: Actor,
    /// The rule that gave the name.
    pub rule: Rule,
    /// The session, when there is one.
    pub session: Option<Registration>,
}

/// What the rules look at.
pub struct Surroundings<'a> {
    /// `--agent`.
    pub flag: Option<&'a AgentName>,
    /// The user's settings.
    pub settings: &'a Settings,
    /// The variables.
    pub env: &'a Env,
    /// The current directory.
    pub dir: &'a Path,
    /// The session this process runs in, when it is registered and in the store in use.
    pub session: Option<&'a Registration>,
}

impl Surroundings<'_> {
    /// The name by the rules, without asking the store.
    pub fn resolve(&self) -> Identity {
        if let Some(name) = self.flag {
            return self.identity(name.clone(), Rule::Flag, Standing::Named, None);
        }
        if let Some(session) = self.session {
            let name = session.name.clone().unwrap_or_else(|| self.guess().0);
            // Without a claim yet, generation 0: no store has given it out, so it holds nothing.
            let standing = Standing::Session(session.generation.unwrap_or(Generation(0)));
            return self.identity(name, Rule::Session, standing, Some(session.clone()));
        }
        let (name, rule) = self.wish(CLIENTS.into_iter().filter_map(|client| self.env.get(client.session_variable?)));
        let standing = match rule {
            Rule::Variable => Standing::Named,
            Rule::Flag | Rule::Session | Rule::Bound | Rule::Terminal | Rule::Directory => {
                Standing::Guessed { gone: None }
            }
        };
        self.identity(name, rule, standing, None)
    }

    fn identity(&self, name: AgentName, rule: Rule, standing: Standing, session: Option<Registration>) -> Identity {
        let of_session = session.as_ref();
        let client = of_session.map_or("shell", |session| session.client.as_str()).to_owned();
        let project = of_session.and_then(|session| session.project.clone()).unwrap_or_else(|| project(self.dir));
        let sighting = Sighting { state: None, client, host: process::host_name(), project };
        Identity { actor: Actor { name, standing, sighting: Some(sighting) }, rule, session }
    }

    /// The name to ask for first, and what gave it: the one that a session id is bound to, the given one, a guess.
    fn wish<'s>(&self, mut session_ids: impl Iterator<Item = &'s str>) -> (AgentName, Rule) {
        let registry = Registry::new(&self.settings.dirs.state);
        if let Some(name) = session_ids.find_map(|id| registry.bound(id)) {
            return (name, Rule::Bound);
        }
        match &self.settings.agent_name {
            Some(name) => (name.clone(), Rule::Variable),
            None => self.guess(),
        }
    }

    /// The name by the terminal or the directory.
    fn guess(&self) -> (AgentName, Rule) {
        if let Some(name) = terminal(self.env) {
            return (name, Rule::Terminal);
        }
        let name = AgentName::from_any_text(&project(self.dir));
        (name.unwrap_or_else(|| agent("root")), Rule::Directory)
    }
}

/// `agent-` and a suffix that is legal by construction.
fn agent(suffix: &str) -> AgentName {
    AgentName::from_any_text(&format!("agent-{suffix}")).unwrap_or_else(|| agent("x"))
}

/// The name of the terminal one sits at, innermost first. Numbers that mean something on one machine only are hashed with it.
fn terminal(env: &Env) -> Option<AgentName> {
    let hash = |parts: &[&str]| {
        let uid = rustix::process::getuid().as_raw().to_string();
        let mut all = vec![uid.as_str()];
        let machine = machine_id();
        all.push(&machine);
        all.extend(parts);
        agent(&hashed(&all, 8))
    };
    if let Some(pane) = env.get("TMUX_PANE") {
        // TMUX is "socket,server pid,session": the socket names the server, also after a restart.
        let server = env.get("TMUX").and_then(|tmux| tmux.split(',').next()).unwrap_or_default();
        return Some(hash(&["tmux", server, pane]));
    }
    if let Some(screen) = env.get("STY") {
        return Some(hash(&["screen", screen, env.get("WINDOW").unwrap_or_default()]));
    }
    if let Some(pane) = env.get("ZELLIJ_PANE_ID") {
        return Some(hash(&["zellij", env.get("ZELLIJ_SESSION_NAME").unwrap_or_default(), pane]));
    }
    for variable in ["TERM_SESSION_ID", "ITERM_SESSION_ID"] {
        let id = env.get(variable).and_then(|id| id.rsplit(':').next()).unwrap_or_default();
        let head: String = id.chars().take(8).collect();
        if !head.is_empty() && head.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Some(agent(&head));
        }
    }
    let numbered = ["WEZTERM_PANE", "KITTY_WINDOW_ID", "WT_SESSION"];
    // A pane's number alone repeats in every window process; its socket or process tells them apart.
    let owner = ["WEZTERM_UNIX_SOCKET", "KITTY_PID", "WT_SESSION"];
    numbered
        .iter()
        .zip(owner)
        .find_map(|(variable, owner)| Some(hash(&[variable, env.get(variable)?, env.get(owner).unwrap_or_default()])))
}

fn machine_id() -> String {
    std::fs::read_to_string("/etc/machine-id").unwrap_or_else(|_| process::host_name())
}

/// The repository's name, or the directory's.
fn project(dir: &Path) -> String {
    let root = dir.ancestors().find(|dir| dir.join(".git").exists()).unwrap_or(dir);
    root.file_name().map_or_else(process::host_name, |name| name.to_string_lossy().into_owned())
}

/// The first `digits` hex digits of a hash over the parts.
pub fn hashed(parts: &[&str], digits: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex[..digits].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(pairs: &[(&str, &str)], dir: &Path) -> (String, Rule, Standing) {
        let home = tempfile::tempdir().unwrap();
        let mut pairs = pairs.to_vec();
        let path = home.path().to_str().unwrap().to_owned();
        pairs.push(("POSTINO_HOME", &path));
        let env = Env::of(&pairs);
        let settings = Settings::read(&env).unwrap();
        let around = Surroundings { flag: None, settings: &settings, env: &env, dir, session: None };
        let identity = around.resolve();
        (identity.actor.name.to_string(), identity.rule, identity.actor.standing)
    }

    #[test]
    fn a_terminal_id_gives_its_first_eight_characters() {
        let pairs = [("TERM_SESSION_ID", "w0t0p0:A1B2C3D4-0000-1111"), ("KITTY_WINDOW_ID", "3")];
        let (name, rule, standing) = name_of(&pairs, Path::new("/"));
        assert_eq!(name, "agent-A1B2C3D4");
        assert_eq!((rule, standing), (Rule::Terminal, Standing::Guessed { gone: None }));
        assert_eq!(name_of(&[("ITERM_SESSION_ID", "w0t0p0:FEDCBA98-1")], Path::new("/")).0, "agent-FEDCBA98");
    }

    #[test]
    fn the_innermost_terminal_wins_and_is_hashed() {
        let outer = ("TERM_SESSION_ID", "w0t0p0:A1B2C3D4");
        let one = name_of(&[outer, ("TMUX", "/tmp/tmux-0/default,7,0"), ("TMUX_PANE", "%1")], Path::new("/")).0;
        let again = name_of(&[outer, ("TMUX", "/tmp/tmux-0/default,8,2"), ("TMUX_PANE", "%1")], Path::new("/")).0;
        let pane = name_of(&[outer, ("TMUX", "/tmp/tmux-0/default,7,0"), ("TMUX_PANE", "%2")], Path::new("/")).0;
        let server = name_of(&[outer, ("TMUX", "/tmp/tmux-0/work,7,0"), ("TMUX_PANE", "%1")], Path::new("/")).0;
        assert_eq!(one, again);
        assert!(one != pane && one != server && pane != server);
        assert_eq!(one.len(), "agent-".len() + 8);
        for variable in ["STY", "ZELLIJ_PANE_ID", "WEZTERM_PANE", "KITTY_WINDOW_ID", "WT_SESSION"] {
            assert_eq!(name_of(&[(variable, "1")], Path::new("/")).1, Rule::Terminal, "{variable}");
        }
    }

    #[test]
    fn an_explicit_name_wins_over_the_terminal_and_may_do_everything() {
        let pairs = [("POSTINO_AGENT_NAME", "ci-bot"), ("TMUX_PANE", "%1")];
        assert_eq!(name_of(&pairs, Path::new("/")), ("ci-bot".into(), Rule::Variable, Standing::Named));
    }

    #[test]
    fn a_directory_gives_its_repositorys_name() {
        let top = tempfile::tempdir().unwrap();
        let repo = top.path().join("web shop!");
        std::fs::create_dir_all(repo.join(".git")).unwrap();
        std::fs::create_dir_all(repo.join("src/deep")).unwrap();
        assert_eq!(name_of(&[], &repo.join("src/deep")).0, "web-shop");
        assert_eq!(name_of(&[], Path::new("/")).1, Rule::Directory);
    }

    #[test]
    fn a_bound_session_id_gives_its_name_back() {
        let home = tempfile::tempdir().unwrap();
        let env = Env::of(&[
            ("POSTINO_HOME", home.path().to_str().unwrap()),
            ("CLAUDE_CODE_SESSION_ID", "s-1"),
            ("POSTINO_AGENT_NAME", "first"),
        ]);
        let settings = Settings::read(&env).unwrap();
        let registry = Registry::new(&settings.dirs.state);
        let session = registry::tests::registration(1, 1, "s-1", "later");
        registry.desk(1, 1).unwrap().write(&session).unwrap();
        let around = Surroundings { flag: None, settings: &settings, env: &env, dir: Path::new("/"), session: None };
        assert_eq!((around.resolve().actor.name.as_str(), around.resolve().rule), ("later", Rule::Bound));
        let around = Surroundings { session: Some(&session), ..around };
        assert_eq!(around.resolve().actor.standing, Standing::Session(Generation(3)));
    }
}
