//! What a limit of weight promises: as much as fits, the first in any case, and nothing moves that is not shown.

use super::words::{broadcast_ids, ids};
use super::world::World;
use crate::model::{Body, MessageId};
use crate::store::{AROUND_BODY, BroadcastQuery, Feed, Pick, weight};

/// Bodies with everything that a JSON text writes longer than it is.
const ODD: [&str; 6] = [
    "plain",
    "a \"quote\"",
    "back\\slash\n\r\t",
    "\u{8}\u{c}\0\u{1}\u{1f}x",
    "\u{7f}\u{80}\u{2028}",
    "\u{1f4ee}\u{e9}",
];

fn body(text: &str) -> Body {
    text.parse().unwrap()
}

fn listen(w: &World, room: u64) -> Feed {
    let query = BroadcastQuery { all: false, advance: true, limit: 100, room: Some(room) };
    w.ask("bob", |store, step| store.broadcasts(step, &query)).unwrap()
}

pub(super) fn a_body_weighs_what_it_takes_as_a_json_text(w: World) {
    for text in ODD {
        let written = serde_json::to_string(text).unwrap().len();
        assert_eq!(weight(&body(text)), u64::try_from(written).unwrap() + AROUND_BODY, "{text:?}");
        // Both stores weigh the same: with room for two of these, and for one byte less.
        let room = weight(&body(text)) * 2;
        for (room, fitting) in [(room, 2), (room - 1, 1)] {
            for _ in 0..3 {
                w.send("ann", "bob", text);
                w.announce("ann", text);
            }
            let leased = w.try_lease("bob", Pick::Fitting(100, room), 60).unwrap();
            assert_eq!((leased.messages.len(), leased.remaining), (fitting, 3 - fitting as u64), "{text:?}");
            w.ack("bob", &leased.messages);
            let rest = w.lease_all("bob");
            w.ack("bob", &rest);
            assert_eq!(listen(&w, room).items.len(), fitting, "{text:?}");
            w.listen("bob");
        }
    }
}

pub(super) fn a_lease_hands_out_what_fits_and_leaves_the_rest_untouched(w: World) {
    let sent: Vec<MessageId> = (0..6).map(|n| w.send("ann", "bob", &format!("{n}{}", "x".repeat(999)))).collect();
    let room = 2 * weight(&body(&"x".repeat(1_000)));
    let first = w.try_lease("bob", Pick::Fitting(100, room), 60).unwrap();
    assert_eq!((ids(&first.messages), first.remaining), (sent[..2].to_vec(), 4));
    // The count limits as well.
    let next = w.try_lease("bob", Pick::Fitting(1, u64::MAX), 60).unwrap();
    assert_eq!((ids(&next.messages), next.remaining), (sent[2..3].to_vec(), 3));
    let rest = w.lease("bob", 100);
    assert_eq!(ids(&rest), sent[3..]);
    assert!(rest.iter().all(|message| message.deliveries == Some(1)), "what did not fit was not delivered");
}

pub(super) fn what_fits_nowhere_comes_alone(w: World) {
    let sent = [w.send("ann", "bob", &"\0".repeat(31_000).replacen('\0', "x", 1)), w.send("ann", "bob", "short")];
    for (n, id) in sent.iter().enumerate() {
        let leased = w.try_lease("bob", Pick::Fitting(100, 1_000), 60).unwrap();
        assert_eq!((ids(&leased.messages), leased.remaining), (vec![*id], 1 - n as u64));
    }
    let words = [w.announce("ann", &"\"".repeat(32_768)), w.announce("ann", "short")];
    for (n, id) in words.iter().enumerate() {
        let feed = listen(&w, 1_000);
        assert_eq!((broadcast_ids(&feed.items), feed.unseen), (vec![*id], 1 - n as u64));
    }
}

pub(super) fn a_cursor_moves_behind_what_fits(w: World) {
    let mut words = vec![w.announce("ann", "one")];
    w.announce("bob", "an own one");
    words.extend((0..3).map(|n| w.announce("ann", &n.to_string())));
    let room = 2 * weight(&body("one"));
    let first = listen(&w, room);
    assert_eq!((broadcast_ids(&first.items), first.unseen), (words[..2].to_vec(), 2));
    assert_eq!(w.check("bob").unseen, 2);
    assert_eq!(broadcast_ids(&listen(&w, room).items), words[2..]);
    assert!(listen(&w, room).items.is_empty());
}
