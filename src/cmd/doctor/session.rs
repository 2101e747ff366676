//! Checks of who one is: the name, the session, how others see it, and the registry of sessions.

use super::{Exam, Finding, Patient, quoted};
use crate::cmd::whoami;
use crate::ops::{self, AgentsRequest, Ctx};
use crate::store::Standing;

/// The name and the rule that gave it.
pub(super) fn identity(patient: &Patient<'_>) -> Exam {
    let identity = patient.app.identity().map_err(|_| Finding::skipped("the store does not answer"))?;
    let actor = &identity.actor;
    let what = format!("{}, {}", actor.name, whoami::rule(identity.rule));
    let is_held = patient.app.ctx().is_ok_and(|ctx| is_guessed(&ctx) && ops::is_held(&ctx).unwrap_or(false));
    if is_held {
        let what = format!("{what}: a live session holds that name, so that here it may send and look only");
        return Ok(Finding::warning(what, format!("export POSTINO_AGENT_NAME={}", actor.name.spare(2))));
    }
    Ok(Finding::ok(what))
}

fn is_guessed(ctx: &Ctx<'_>) -> bool {
    matches!(ctx.actor.standing, Standing::Guessed { .. })
}

/// The session that this command runs in is known to postino.
pub(super) fn session(patient: &Patient<'_>) -> Exam {
    let Some(found) = patient.app.client() else { return Ok(Finding::skipped("this is no agent's session")) };
    let client = found.client.map_or("client", |client| client.name);
    let place = format!("{client}, process {}", found.process.pid);
    Ok(match found.registration {
        Some(session) => {
            let name = session.name.map_or_else(|| "no name yet".to_owned(), |name| name.to_string());
            Finding::ok(format!("{name} in {place}"))
        }
        None => Finding::warning(
            format!("this session ({place}) has not registered: its hooks have not run"),
            format!("postino install {client}"),
        ),
    })
}

/// Others see this agent as online after what this command just did.
pub(super) fn presence(patient: &Patient<'_>) -> Exam {
    patient.health()?;
    let ctx = patient.app.ctx().map_err(|error| Finding::failed(&error))?;
    ops::check(&ctx).map_err(|error| Finding::failed(&error))?;
    let request = AgentsRequest { limit: Some(1_000), after: None };
    let page = ops::agents(&ctx, &request).map_err(|error| Finding::failed(&error))?;
    let count = format!("{} of {} agents are online", page.online, page.total);
    let me = page.items.iter().find(|agent| agent.name == ctx.actor.name);
    Ok(match me {
        Some(me) if me.online => Finding::ok(count),
        None if page.total > 1_000 => Finding::ok(count),
        // A session that holds the name, or held it until it was killed, is seen or not for itself.
        Some(_) | None if is_guessed(&ctx) => Finding::skipped(format!("no session of this name is here; {count}")),
        Some(_) | None => Finding::warning(format!("others do not see {}; {count}", ctx.actor.name), "postino agents"),
    })
}

/// The registry of sessions can be read, and holds nobody who is gone.
pub(super) fn registry(patient: &Patient<'_>) -> Exam {
    let survey = patient.app.registry().survey();
    let list = |paths: &[std::path::PathBuf]| paths.iter().map(|path| quoted(path)).collect::<Vec<_>>().join(" ");
    if !survey.damaged.is_empty() {
        let what = format!("{} entries cannot be read", survey.damaged.len());
        return Ok(Finding::broken(what, format!("rm -r {}", list(&survey.damaged))));
    }
    if !survey.stale.is_empty() {
        let what = format!("{} entries are of sessions that are gone", survey.stale.len());
        return Ok(Finding::warning(what, format!("rm {}", list(&survey.stale))));
    }
    Ok(Finding::ok(format!("{} live sessions on this host", survey.live)))
}
