//! Checks of the clients: whether they call postino. A client that is not on this machine is not missed.

use super::{Exam, Finding, Patient, Verdict};
use crate::cmd::install::{
    self, CLAUDE, CLIENTS, CODEX, CURSOR, Client, GEMINI, OPENCODE, Registered, Scope, Site, registered,
};

pub(super) fn claude(patient: &Patient<'_>) -> Exam {
    client(patient, &CLAUDE)
}

pub(super) fn codex(patient: &Patient<'_>) -> Exam {
    client(patient, &CODEX)
}

pub(super) fn gemini(patient: &Patient<'_>) -> Exam {
    client(patient, &GEMINI)
}

pub(super) fn opencode(patient: &Patient<'_>) -> Exam {
    client(patient, &OPENCODE)
}

pub(super) fn cursor(patient: &Patient<'_>) -> Exam {
    client(patient, &CURSOR)
}

/// Whether a client calls postino, for the user or for this project.
fn client(patient: &Patient<'_>, client: &Client) -> Exam {
    let name = client.name;
    let of_user = look(patient, client, Scope::User)?;
    let of_project = look(patient, client, Scope::Project).unwrap_or(Registered::Not);
    Ok(match (of_user, of_project) {
        (Registered::Whole(_), _) => Finding::ok("calls postino"),
        (_, Registered::Whole(_)) => Finding::ok("calls postino in this project"),
        (Registered::Off, _) => {
            Finding::warning("the plugin is there, and turned off", "claude plugin enable postino@postino")
        }
        (Registered::Part(file), _) => Finding::broken(
            format!("part of what postino put into {} is missing", file.display()),
            format!("postino install {name}"),
        ),
        (_, Registered::Part(file)) => Finding::broken(
            format!("part of what postino put into {} is missing", file.display()),
            format!("postino install {name} --scope project"),
        ),
        (Registered::Not, _) => missing(patient, client)?,
    })
}

fn look(patient: &Patient<'_>, client: &Client, scope: Scope) -> Result<Registered, Finding> {
    let site = Site::new(patient.app, scope).map_err(|error| Finding::failed(&error))?;
    registered(&site, &patient.app.settings, client).map_err(|error| Finding::failed(&error))
}

/// A client that does not call postino: broken when it is here and no other client calls postino either; a user who wants one
/// client only should not be told for ever that something is broken.
fn missing(patient: &Patient<'_>, client: &Client) -> Exam {
    if !patient.site()?.is_here(client) {
        return Ok(Finding::skipped("not installed"));
    }
    let other =
        |other: &Client| matches!(look(patient, other, Scope::User), Ok(Registered::Whole(_) | Registered::Off));
    let verdict = if CLIENTS.into_iter().any(other) { Verdict::Warning } else { Verdict::Broken };
    let what = format!("{} is on this machine and does not call postino", client.title);
    Ok(Finding(verdict, what, Some(format!("postino install {}", client.name))))
}

/// The plugin that Claude Code reads is this version's.
pub(super) fn plugin_version(patient: &Patient<'_>) -> Exam {
    match install::plugin_is_current(patient.site()?, &patient.app.settings) {
        None => Ok(Finding::skipped("the plugin is not registered")),
        Some(Ok(what)) => Ok(Finding::ok(what)),
        Some(Err(what)) => Ok(Finding::broken(what, "postino install claude")),
    }
}

/// Codex has been told to trust the hooks; until then it leaves them out without a word.
pub(super) fn codex_trust(patient: &Patient<'_>) -> Exam {
    match install::codex_trusts(patient.site()?) {
        None => Ok(Finding::skipped("Codex has no hooks of postino")),
        Some(untrusted) if untrusted.is_empty() => Ok(Finding::ok("the hooks have been trusted")),
        Some(untrusted) => Ok(Finding::broken(
            format!("Codex leaves out hooks that nobody trusted: {}", untrusted.join(", ")),
            "codex, then type /hooks there and trust those of postino",
        )),
    }
}
