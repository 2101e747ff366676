//! Servers that belong together or speak TLS: a cluster, a primary with its replica and Sentinel, a certificate
//! authority. It knows nothing of what is kept there.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::{Flavor, Server, until};

/// A certificate authority of a test's own, with a server's certificate for one name.
pub(crate) struct Authority {
    folder: TempDir,
}

impl Authority {
    /// Makes the authority and a certificate for `name`, e.g. `DNS:localhost` or `IP:127.0.0.1`.
    pub(crate) fn new(name: &str) -> Authority {
        let authority = Authority { folder: tempfile::tempdir().unwrap() };
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let subject = format!("/CN=Authority for {}", name.replace(['/', ','], " "));
        let ca = ["-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", &subject];
        authority.openssl(&[&["req", "-x509"], &key[..], &ca[..]].concat());
        let request = ["-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server"];
        authority.openssl(&[&["req"], &key[..], &request[..]].concat());
        fs::write(authority.folder.path().join("names"), format!("subjectAltName={name}\nbasicConstraints=CA:FALSE\n"))
            .unwrap();
        let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        authority.openssl(&[&sign[..], &["-out", "server.pem", "-days", "2", "-extfile", "names"]].concat());
        authority
    }

    /// The file of the authority's own certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Starts a server that speaks TLS alone, with this authority's certificate.
    pub(crate) fn serve(&self, flavor: Flavor) -> Server {
        let file = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let (cert, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
        let args = ["--tls-port", "TLS-PORT", "--tls-cert-file", &cert, "--tls-key-file", &key];
        Server::start(flavor, &[&args[..], &["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"]].concat())
    }

    fn openssl(&self, args: &[&str]) {
        let output = Command::new("openssl").args(args).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Three nodes that share the slots, ready to serve.
pub(crate) fn cluster(flavor: Flavor) -> Vec<Server> {
    let nodes: Vec<Server> = (0..3)
        .map(|_| Server::start(flavor, &["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]))
        .collect();
    for (node, slots) in nodes.iter().zip([("0", "5460"), ("5461", "10922"), ("10923", "16383")]) {
        assert_eq!(node.cli(&["CLUSTER", "ADDSLOTSRANGE", slots.0, slots.1]), "OK");
        assert_eq!(node.cli(&["CLUSTER", "MEET", "127.0.0.1", &nodes[0].port().to_string()]), "OK");
    }
    until("the cluster serves", || {
        nodes.iter().all(|node| {
            let info = node.cli(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        })
    });
    nodes
}

/// A primary, its replica, and a Sentinel that watches them under the name `main`.
pub(crate) struct Watched {
    pub(crate) primary: Server,
    pub(crate) replica: Server,
    pub(crate) sentinel: Server,
}

impl Watched {
    /// Starts the three and waits until the replica follows.
    pub(crate) fn start(flavor: Flavor) -> Watched {
        let primary = Server::start(flavor, &["--repl-diskless-sync-delay", "0"]);
        let port = primary.port().to_string();
        let replica = Server::start(flavor, &["--replicaof", "127.0.0.1", &port]);
        until("the replica follows", || replica.cli(&["INFO", "replication"]).contains("master_link_status:up"));
        let sentinel = Server::start(flavor, &["--sentinel"]);
        assert_eq!(sentinel.cli(&["SENTINEL", "MONITOR", "main", "127.0.0.1", &port, "1"]), "OK");
        for (setting, value) in [("down-after-milliseconds", "300"), ("failover-timeout", "3000")] {
            assert_eq!(sentinel.cli(&["SENTINEL", "SET", "main", setting, value]), "OK");
        }
        until("the Sentinel knows the replica", || !sentinel.cli(&["SENTINEL", "REPLICAS", "main"]).is_empty());
        Watched { primary, replica, sentinel }
    }

    /// Kills the primary and waits until the replica is promoted.
    pub(crate) fn fail_over(&mut self) {
        self.primary.kill();
        let replica = self.replica.port().to_string();
        until("the replica is promoted", || {
            self.sentinel.cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]).ends_with(&replica)
                && self.replica.cli(&["INFO", "replication"]).contains("role:master")
        });
    }
}
