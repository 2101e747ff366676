//! The clients as data: one constant each says where a client keeps its configuration and what postino puts there. A new
//! client whose files are of a known format needs a constant and templates in `hooks/`, and no code.

use super::edit::Format;

/// A program that agents run in.
#[derive(Debug)]
pub struct Client {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Its programs; one of them on the PATH means that it is here.
    pub programs: &'static [&'static str],
    /// Where it keeps the user's configuration.
    pub folder: Folder,
    /// What postino puts where.
    pub documents: &'static [Document],
    /// What is left to do by hand after an installation.
    pub then: Option<&'static str>,
}

/// A client's folder for the user's configuration.
#[derive(Debug)]
pub struct Folder {
    /// The variable that moves it, and the path below what that names.
    pub variable: Option<(&'static str, &'static str)>,
    /// Where it is otherwise, below the home directory.
    pub home: &'static str,
}

/// A document that a client reads, and what is to stand in it.
#[derive(Debug)]
pub struct Document {
    /// Its names below the client's folder: the first that exists, or the first.
    pub user: &'static [&'static str],
    /// Its names below a project's folder, likewise.
    pub project: &'static [&'static str],
    /// How it is written.
    pub format: Format,
    /// What is to stand in it.
    pub template: &'static str,
    /// What that is for.
    pub part: Part,
}

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The client calls `postino hook`.
    Hooks,
    /// The client starts `postino mcp`.
    Server,
}

/// Claude Code: its own command registers the plugin, see `claude`.
pub const CLAUDE: Client = Client {
    name: "claude",
    title: "Claude Code",
    programs: &["claude"],
    folder: Folder { variable: Some(("CLAUDE_CONFIG_DIR", "")), home: ".claude" },
    documents: &[],
    then: Some("sessions that run already: type /reload-plugins, or start them anew"),
};

/// Codex.
pub const CODEX: Client = Client {
    name: "codex",
    title: "Codex",
    programs: &["codex"],
    folder: Folder { variable: Some(("CODEX_HOME", "")), home: ".codex" },
    documents: &[
        Document {
            user: &["hooks.json"],
            project: &[".codex/hooks.json"],
            format: Format::Json,
            template: include_str!("../../../hooks/codex/hooks.json"),
            part: Part::Hooks,
        },
        Document {
            user: &["config.toml"],
            project: &[".codex/config.toml"],
            format: Format::Toml,
            template: include_str!("../../../hooks/codex/config.toml"),
            part: Part::Server,
        },
    ],
    then: Some("Codex leaves new hooks out until you trust them: type /hooks in Codex, and trust those of postino"),
};

/// Gemini CLI.
pub const GEMINI: Client = Client {
    name: "gemini",
    title: "Gemini CLI",
    programs: &["gemini"],
    folder: Folder { variable: Some(("GEMINI_CLI_HOME", ".gemini")), home: ".gemini" },
    documents: &[
        Document {
            user: &["settings.json"],
            project: &[".gemini/settings.json"],
            format: Format::Jsonc,
            template: include_str!("../../../hooks/gemini/settings.json"),
            part: Part::Hooks,
        },
        Document {
            user: &["settings.json"],
            project: &[".gemini/settings.json"],
            format: Format::Jsonc,
            template: include_str!("../../../hooks/gemini/mcp.json"),
            part: Part::Server,
        },
    ],
    then: None,
};

/// OpenCode: it has no hooks that run commands, so a plugin of ours runs them.
pub const OPENCODE: Client = Client {
    name: "opencode",
    title: "OpenCode",
    programs: &["opencode"],
    folder: Folder { variable: Some(("XDG_CONFIG_HOME", "opencode")), home: ".config/opencode" },
    documents: &[
        Document {
            user: &["plugins/postino.js"],
            project: &[".opencode/plugins/postino.js"],
            format: Format::Whole,
            template: include_str!("../../../hooks/opencode/postino.js"),
            part: Part::Hooks,
        },
        Document {
            user: &["opencode.json", "opencode.jsonc"],
            project: &["opencode.json", "opencode.jsonc"],
            format: Format::Jsonc,
            template: include_str!("../../../hooks/opencode/opencode.json"),
            part: Part::Server,
        },
    ],
    then: None,
};

/// Cursor.
pub const CURSOR: Client = Client {
    name: "cursor",
    title: "Cursor",
    programs: &["cursor-agent", "cursor"],
    folder: Folder { variable: None, home: ".cursor" },
    documents: &[
        Document {
            user: &["hooks.json"],
            project: &[".cursor/hooks.json"],
            format: Format::Json,
            template: include_str!("../../../hooks/cursor/hooks.json"),
            part: Part::Hooks,
        },
        Document {
            user: &["mcp.json"],
            project: &[".cursor/mcp.json"],
            format: Format::Json,
            template: include_str!("../../../hooks/cursor/mcp.json"),
            part: Part::Server,
        },
    ],
    then: None,
};

/// Every client, in the order in which they are listed.
pub const CLIENTS: [&Client; 5] = [&CLAUDE, &CODEX, &GEMINI, &OPENCODE, &CURSOR];
