//! Codex, started clean: its settings, its environment, one-shot runs. It knows no test.

use std::collections::BTreeMap;
use std::path::Path;

use crate::fetch;
use crate::mock::Mock;
use crate::world::World;

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

    /// Runs one prompt to its end; the run must succeed. Gives the answer.
    pub fn exec(&self, prompt: &str) -> String {
        let mut env = self.world.env();
        env.extend(self.mock.proxy());
        env.insert("MOCK_KEY".to_owned(), "not-a-key".to_owned());
        env.extend(self.env.clone());
        // Nobody is there to trust hooks or allow a command, and the world is a sandbox already.
        let trust =
            ["--dangerously-bypass-hook-trust", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check"];
        let command = [&[self.program.to_str().unwrap(), "exec"], &trust[..], &[prompt]].concat();
        let ran = self.world.run(
            &command.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>(),
            &env,
            &self.world.path("project"),
        );
        assert_eq!(ran.code, Some(0), "codex exec {prompt:?}: {ran:?}");
        ran.stdout
    }
}
