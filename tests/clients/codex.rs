//! Codex, started clean: its settings, its environment, one-shot runs. It knows no test.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::fetch;
use crate::mock::Mock;
use crate::world::World;

/// Nobody is there to trust hooks or allow a command, and the world is a sandbox already.
const TRUST: [&str; 3] =
    ["--dangerously-bypass-hook-trust", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check"];

/// A way to start Codex in one world, against a model of its own.
pub struct Codex<'a> {
    /// The model it talks to.
    pub mock: Mock,
    /// Variables of its own.
    pub env: BTreeMap<String, String>,
    world: &'a World,
    program: &'static Path,
}

impl<'a> Codex<'a> {
    /// One with settings that lead to the mock; `None` when the client cannot be had.
    pub fn new(world: &'a World) -> Option<Codex<'a>> {
        let program = fetch::codex()?;
        let mock = Mock::start();
        let settings = format!(
            "model = \"mock\"\nmodel_provider = \"mock\"\ncheck_for_update_on_startup = false\n\
             [analytics]\nenabled = false\n\
             [model_providers.mock]\nname = \"mock\"\nbase_url = \"{}/v1\"\nwire_api = \"responses\"\nenv_key = \"MOCK_KEY\"\n",
            mock.url
        );
        world.write("home/.codex/config.toml", &settings);
        // Its shell is a login shell, and the system's profile sets the search path anew.
        world.write("home/.profile", &format!("PATH='{}'\n", world.env()["PATH"]));
        Some(Codex { mock, env: BTreeMap::new(), world, program })
    }

    /// Writes the user's hooks.
    pub fn hooks(&self, json: &str) {
        self.world.write("home/.codex/hooks.json", json);
    }

    /// Hands these variables to postino's MCP server: by itself the client hands almost none on.
    pub fn hands_to_servers(&self, names: &[&str]) {
        let path = self.world.path("home/.codex/config.toml");
        let mut settings = fs::read_to_string(&path).unwrap();
        settings.push_str("\n[mcp_servers.postino.env]\n");
        let env = self.world.env();
        names.iter().for_each(|name| settings.push_str(&format!("{name} = {:?}\n", env[*name])));
        fs::write(path, settings).unwrap();
    }

    /// Runs a subcommand such as `mcp list`; it must succeed. Gives what it printed.
    pub fn run(&self, args: &[&str]) -> String {
        let mut env = self.world.env();
        env.extend(self.mock.proxy());
        env.insert("MOCK_KEY".to_owned(), "not-a-key".to_owned());
        env.extend(self.env.clone());
        let command: Vec<String> =
            [self.program.to_str().unwrap()].iter().chain(args).map(|arg| (*arg).to_owned()).collect();
        let ran = self.world.run(&command, &env, &self.world.path("project"));
        assert_eq!(ran.code, Some(0), "codex {args:?}: {ran:?}");
        ran.stdout
    }

    /// Runs one prompt to its end; the run must succeed. Gives the answer.
    pub fn exec(&self, prompt: &str) -> String {
        self.run(&[&["exec"], &TRUST[..], &[prompt]].concat())
    }

    /// The same in the latest conversation.
    pub fn resume(&self, prompt: &str) -> String {
        self.run(&[&["exec", "resume"], &TRUST[..], &["--last", prompt]].concat())
    }
}
