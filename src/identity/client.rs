//! The clients that postino knows, as data: one constant a client. A new client whose hooks speak a known form needs a
//! constant and no code. It knows no process and no file.

/// A program that agents run in.
#[derive(Debug, PartialEq, Eq)]
pub struct Client {
    /// What it is called here and in presence.
    pub name: &'static str,
    /// Short names of its executable; a script counts by its file's name.
    pub programs: &'static [&'static str],
    /// The variable that tells its children its process id.
    pub pid_variable: Option<&'static str>,
    /// The variable that tells its children the session id.
    pub session_variable: Option<&'static str>,
    /// The variable that tells its children the project's folder.
    pub project_variable: Option<&'static str>,
    /// How its hooks take what they are to say.
    pub hears: Hears,
}

/// How a client takes text from a hook, for each moment at which there is something to say.
#[derive(Debug, PartialEq, Eq)]
pub struct Hears {
    /// When a session starts.
    pub start: Form,
    /// At a prompt.
    pub prompt: Form,
    /// After a tool call.
    pub tool: Form,
    /// At the end of a turn; it goes on then.
    pub stop: Form,
}

/// A form of a hook's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The text itself.
    Plain,
    /// JSON: `hookSpecificOutput` with `additionalContext`.
    Context,
    /// JSON: this `decision`, with the text as its `reason`.
    Decision(&'static str),
    /// JSON: the text in this field.
    Field(&'static str),
    /// The client takes nothing at this moment.
    Nothing,
}

/// Claude Code. Its hooks do not name their client, so it is the one that a hook without a name is of.
pub const CLAUDE: Client = Client {
    name: "claude",
    programs: &["claude"],
    pid_variable: Some("CLAUDE_PID"),
    session_variable: Some("CLAUDE_CODE_SESSION_ID"),
    project_variable: Some("CLAUDE_PROJECT_DIR"),
    // A decision at the end of a turn would be shown to the user as a problem; context is not.
    hears: Hears { start: Form::Plain, prompt: Form::Plain, tool: Form::Context, stop: Form::Context },
};

/// Codex. It takes a text that begins with `[` for broken JSON, and ours do, so it gets JSON.
const CODEX: Client = Client {
    name: "codex",
    programs: &["codex"],
    pid_variable: None,
    session_variable: None,
    project_variable: None,
    hears: Hears { start: Form::Context, prompt: Form::Context, tool: Form::Context, stop: Form::Decision("block") },
};

/// Gemini CLI: its hooks may print nothing but JSON.
const GEMINI: Client = Client {
    name: "gemini",
    programs: &["gemini"],
    pid_variable: None,
    session_variable: Some("GEMINI_SESSION_ID"),
    project_variable: Some("GEMINI_PROJECT_DIR"),
    hears: Hears { start: Form::Context, prompt: Form::Context, tool: Form::Context, stop: Form::Decision("deny") },
};

/// OpenCode: a plugin of ours calls the hooks there and passes on what they print.
const OPENCODE: Client = Client {
    name: "opencode",
    programs: &["opencode"],
    pid_variable: None,
    session_variable: None,
    project_variable: None,
    hears: Hears { start: Form::Plain, prompt: Form::Plain, tool: Form::Plain, stop: Form::Plain },
};

/// Cursor: a prompt takes no context there.
const CURSOR: Client = Client {
    name: "cursor",
    programs: &["cursor-agent", "cursor", "Cursor"],
    pid_variable: None,
    session_variable: None,
    project_variable: Some("CURSOR_PROJECT_DIR"),
    hears: Hears {
        start: Form::Field("additional_context"),
        prompt: Form::Nothing,
        tool: Form::Field("additional_context"),
        stop: Form::Field("followup_message"),
    },
};

/// An MCP server whose client is not known: it stands for its agent by itself, and the session is its own life.
pub const ALONE: Client = Client {
    name: "mcp",
    programs: &[],
    pid_variable: None,
    session_variable: None,
    project_variable: None,
    hears: Hears { start: Form::Nothing, prompt: Form::Nothing, tool: Form::Nothing, stop: Form::Nothing },
};

/// Every client.
pub const CLIENTS: [&Client; 5] = [&CLAUDE, &CODEX, &GEMINI, &OPENCODE, &CURSOR];

/// The client of this name.
pub fn named(name: &str) -> Option<&'static Client> {
    CLIENTS.into_iter().find(|client| client.name == name)
}

/// The client whose program has this short name.
pub fn of_program(program: &str) -> Option<&'static Client> {
    CLIENTS.into_iter().find(|client| client.programs.contains(&program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_known_by_its_name_and_by_its_program() {
        for client in CLIENTS {
            assert_eq!(named(client.name), Some(client));
            assert!(client.programs.iter().all(|program| of_program(program) == Some(client)));
        }
        assert_eq!(named("cursor-agent"), None);
        assert_eq!(of_program("bash"), None);
    }
}
