//! Where the clients' files are: for a user or for a project. It looks at variables and folders and changes nothing.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::clients::{Client, Document};
use super::plan::Wanted;
use crate::cmd::app::App;
use crate::config;
use crate::error::{Error, Kind, Result};

/// For whom a client is to know postino.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// For all of the user's sessions
    User,
    /// For sessions in this project, with everybody who shares its files
    Project,
}

/// Where files are looked for.
pub struct Site<'a> {
    /// The variables.
    app: &'a App,
    /// For whom.
    pub scope: Scope,
    /// The home directory.
    home: PathBuf,
    /// Where the command was given: what relative paths start from.
    here: PathBuf,
    /// The project's folder.
    pub project: PathBuf,
}

impl<'a> Site<'a> {
    /// The places as the environment has them. `Usage` when no home directory is known.
    pub fn new(app: &'a App, scope: Scope) -> Result<Site<'a>> {
        let home = app.variable("HOME").filter(|home| Path::new(home).is_absolute()).map(PathBuf::from);
        let home = home.ok_or_else(|| Error::new(Kind::Usage, "no home directory is known").hint("set HOME"))?;
        let here = config::current_dir();
        let project = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here).to_owned();
        Ok(Site { app, scope, home, here, project })
    }

    /// The folder where a client keeps the user's configuration.
    pub fn folder(&self, client: &Client) -> PathBuf {
        let moved = client.folder.variable.and_then(|(variable, below)| Some((self.app.variable(variable)?, below)));
        match moved {
            Some((folder, "")) => self.here.join(folder),
            Some((folder, below)) => self.here.join(folder).join(below),
            None => self.home.join(client.folder.home),
        }
    }

    /// A client's document: the first of its names that exists, or the first.
    pub fn path(&self, client: &Client, document: &Document) -> PathBuf {
        let (folder, names) = match self.scope {
            Scope::User => (self.folder(client), document.user),
            Scope::Project => (self.project.clone(), document.project),
        };
        let first = names.first().map(|name| folder.join(name));
        let there = names.iter().map(|name| folder.join(name)).find(|path| path.symlink_metadata().is_ok());
        there.or(first).unwrap_or(folder)
    }

    /// What is to stand in a client's documents.
    pub fn wanted(&self, client: &Client) -> Vec<Wanted> {
        let wanted = |document: &Document| Wanted {
            path: self.path(client, document),
            format: document.format,
            template: document.template.to_owned(),
        };
        client.documents.iter().map(wanted).collect()
    }

    /// Whether a client is on this machine: one of its programs is on the PATH, or it has a folder here.
    pub fn is_here(&self, client: &Client) -> bool {
        client.programs.iter().any(|program| self.program(program).is_some()) || self.folder(client).is_dir()
    }

    /// Where a program is, by the PATH.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let runs = |path: &PathBuf| {
            path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
        };
        let folders = self.app.variable("PATH").unwrap_or_default().split(':').filter(|folder| !folder.is_empty());
        folders.map(|folder| self.here.join(folder).join(name)).find(runs)
    }

    /// The home directory, for showing paths.
    pub fn home(&self) -> String {
        self.home.display().to_string()
    }
}
