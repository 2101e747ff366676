//! The worked examples of the README, played with the real client.

use crate::mock::{shell, text};
use crate::postino::{claude_in, greeted, told};
use crate::tab::Tab;
use crate::world::World;

const NORTH: &str = "w0t0p0:A1B2C3D4-0000-0000-0000-000000000000";
const SOUTH: &str = "w0t1p0:B2C3D4E5-0000-0000-0000-000000000000";

#[test]
fn a_freeze_reaches_every_open_session_at_its_next_prompt() {
    let world = World::new();
    let (Some(north), Some(south)) = (claude_in(&world, NORTH), claude_in(&world, SOUTH)) else { return };
    let tabs = [Tab::open(&north, &["--name", "north"]), Tab::open(&south, &["--name", "south"])];
    for tab in &tabs {
        tab.claude.mock.answers([text("ready to go")]);
        tab.asks("hello", "ready to go");
    }
    world.postino(&["--agent", "ci-bot", "broadcast", "main is frozen until 18:00"]);
    for tab in &tabs {
        tab.claude.mock.answers([shell("postino broadcasts"), text("so I wait"), text("so I wait")]);
        tab.types("go on");
        // The prompt tells of it, unless the monitor was quicker.
        assert!(tab.claude.mock.hears("main is frozen until 18:00").says("newest from ci-bot"));
    }
}

#[test]
fn a_note_in_the_evening_greets_the_next_session_of_the_tab() {
    let world = World::new();
    let Some(claude) = claude_in(&world, NORTH) else { return };
    claude.print(&[], "a day's work");
    assert_eq!(greeted(&claude.mock.last()), "agent-A1B2C3D4");
    world.postino(&["--agent", "me", "send", "agent-A1B2C3D4", "begin with the failing test"]);
    claude.mock.answers([shell("postino read"), text("good morning")]);
    claude.print(&[], "good morning");
    let heard = claude.mock.last();
    assert_eq!(greeted(&heard), "agent-A1B2C3D4");
    assert!(
        told(&heard)[..3].contains(&"[postino] 1 unread message(s) (newest from me). msg_read shows them.".to_owned())
    );
    assert!(heard.says("begin with the failing test"));
}

#[test]
fn mail_to_the_old_and_to_the_new_name_arrives() {
    let world = World::new();
    let (Some(north), Some(south)) = (claude_in(&world, NORTH), claude_in(&world, SOUTH)) else { return };
    let (one, other) = (Tab::open(&north, &[]), Tab::open(&south, &[]));
    north.mock.answers([shell("postino rename reviewer"), text("I am renamed")]);
    one.asks("take another name", "I am renamed");
    let send = |name: &str| shell(&format!("postino send {name} 'for {name}'"));
    south.mock.answers([send("reviewer"), send("agent-A1B2C3D4"), text("both are sent")]);
    other.asks("tell them", "both are sent");
    north.mock.answers([shell("postino read"), text("both are here"), text("both are here")]);
    one.types("any mail?");
    let heard = north.mock.hears("for agent-A1B2C3D4");
    assert!(heard.says("for reviewer") && heard.says("from agent-B2C3D4E5"));
}
