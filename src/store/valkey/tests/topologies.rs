//! Clusters and fail-overs: the keys are found wherever they are, and a promoted replica is found by itself.

use std::time::{Duration, Instant};

use super::desk::{check, for_each, lease, name, open, send, try_send};
use crate::error::Kind;
use crate::model::Millis;
use crate::store::server::topologies::{Watched, cluster};
use crate::store::server::{Server, until};
use crate::store::valkey::{Options, Valkey};
use crate::store::{Scope, Store};

/// A store on a cluster, known by these nodes.
fn on_cluster(nodes: &[&Server], prefix: &str) -> Valkey {
    let hosts: Vec<String> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    let options = Options { prefix: prefix.to_owned(), ..Options::default() };
    Valkey::open(&format!("redis+cluster://{}", hosts.join(",")), options).unwrap()
}

#[test]
fn a_cluster_of_three_serves_every_prefix_from_every_node() {
    for_each(|flavor| {
        let nodes = cluster(flavor);
        let mut homes = Vec::new();
        for (n, prefix) in ["po:", "a:", "b:", "c:", "d:", "e:"].into_iter().enumerate() {
            let store = on_cluster(&[&nodes[n % 3]], prefix);
            let mut waiter = store.waiter(&Scope::Mail(name("bob"))).unwrap();
            let id = send(&store, "bob", "hello");
            waiter.wait(Instant::now() + Duration::from_secs(5)).unwrap();
            assert_eq!(check(&store, "bob").unwrap().unread, 1);
            assert_eq!(lease(&store, "bob")[0].id, id);
            assert!(store.health(Millis(0)).unwrap().server.contains(char::is_numeric));
            let key = format!("{{{prefix}}}meta");
            homes.push(nodes.iter().position(|node| node.cli(&["EXISTS", &key]) == "1").unwrap());
        }
        homes.sort_unstable();
        homes.dedup();
        assert!(homes.len() > 1, "the prefixes lie on several nodes, so that requests were sent on");
    });
}

#[test]
fn a_slot_that_moves_is_followed() {
    for_each(|flavor| {
        let nodes = cluster(flavor);
        let store = on_cluster(&[&nodes[0]], "po:");
        send(&store, "bob", "before");
        let slot = nodes[0].cli(&["CLUSTER", "KEYSLOT", "{po:}"]);
        let from = nodes.iter().position(|node| node.cli(&["EXISTS", "{po:}meta"]) == "1").unwrap();
        let to = (from + 1) % 3;
        let id = |n: usize| nodes[n].cli(&["CLUSTER", "MYID"]);
        assert_eq!(nodes[to].cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)]), "OK");
        assert_eq!(nodes[from].cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(to)]), "OK");
        let port = nodes[to].port().to_string();
        for key in nodes[from].cli(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]).lines() {
            assert_eq!(nodes[from].cli(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]), "OK", "{key}");
        }
        assert_eq!(check(&store, "bob").unwrap().unread, 1, "asked of the importing node");
        for node in [to, from, 3 - to - from] {
            assert_eq!(nodes[node].cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(to)]), "OK");
        }
        send(&store, "bob", "after");
        assert_eq!(lease(&store, "bob").len(), 2);
    });
}

#[test]
fn a_cluster_without_its_node_is_said_to_be_down() {
    for_each(|flavor| {
        let mut nodes = cluster(flavor);
        let store = on_cluster(&[&nodes[0], &nodes[1], &nodes[2]], "po:");
        send(&store, "bob", "hello");
        let home = nodes.iter().position(|node| node.cli(&["EXISTS", "{po:}meta"]) == "1").unwrap();
        nodes[home].kill();
        let error = try_send(&store, "bob", "lost").unwrap_err();
        assert_eq!(error.kind, Kind::Unreachable, "{}", error.message);
        let other = &nodes[(home + 1) % 3];
        until("the cluster is down", || other.cli(&["CLUSTER", "INFO"]).contains("cluster_state:fail"));
        let error = check(&on_cluster(&[other], "po:"), "bob").unwrap_err();
        assert!(error.kind == Kind::Unreachable && error.message.contains("cluster"), "{}", error.message);
    });
}

#[test]
fn a_promoted_replica_is_found_through_the_sentinel() {
    for_each(|flavor| {
        let mut watched = Watched::start(flavor);
        let url = format!("redis+sentinel://127.0.0.1:1,127.0.0.1:{}/main", watched.sentinel.port());
        let store = open(&url);
        send(&store, "bob", "before");
        let before = lease(&open(&watched.primary.url()), "cem");
        assert!(before.is_empty());
        until("the replica has it", || watched.replica.cli(&["EXISTS", "{po:}meta"]) == "1");
        // WAIT would count for the connection that wrote; this is another one.
        until("the replica has the message", || !watched.replica.cli(&["KEYS", "*x:*"]).is_empty());
        watched.fail_over();
        assert_eq!(check(&store, "bob").unwrap().unread, 1);
        send(&store, "bob", "after");
        assert_eq!(lease(&store, "bob").len(), 2);
        let unknown = open(&format!("redis+sentinel://127.0.0.1:{}/nobody", watched.sentinel.port()));
        let error = check(&unknown, "bob").unwrap_err();
        assert!(error.kind == Kind::Unreachable && error.message.contains("nobody"), "{}", error.message);
    });
}

#[test]
fn a_demoted_primary_is_left_for_the_new_one() {
    for_each(|flavor| {
        let watched = Watched::start(flavor);
        let store = open(&format!("redis+sentinel://127.0.0.1:{}/main", watched.sentinel.port()));
        send(&store, "bob", "before");
        // WAIT would count for the connection that wrote; this is another one.
        until("the replica has the message", || !watched.replica.cli(&["KEYS", "*x:*"]).is_empty());
        until("the Sentinel promotes the replica", || watched.sentinel.cli(&["SENTINEL", "FAILOVER", "main"]) == "OK");
        until("the primary is demoted", || watched.primary.cli(&["INFO", "replication"]).contains("role:slave"));
        // The kept connection leads to a replica now, which takes no writes; also a send is safe to repeat then.
        until("the new primary is known", || try_send(&store, "bob", "after").is_ok());
        let leased = lease(&store, "bob");
        let bodies: Vec<&str> = leased.iter().map(|message| message.body.as_str()).collect();
        assert_eq!(bodies, ["before", "after"]);
    });
}

#[test]
fn a_replica_is_no_place_to_write() {
    for_each(|flavor| {
        let watched = Watched::start(flavor);
        let error = try_send(&open(&watched.replica.url()), "bob", "hello").unwrap_err();
        assert!(error.kind == Kind::Unreachable && error.message.contains("replica"), "{error:?}");
    });
}
