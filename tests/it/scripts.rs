//! The digests of the store's scripts, which are written down so that no process works them out. `POSTINO_SNAPSHOTS=write cargo test
//! --test it scripts` writes them anew. It knows the scripts' files, not what they do.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use sha1_smol::Sha1;

/// What stands before each script, in this order.
const SHARED: [&str; 4] = ["base.lua", "names.lua", "mail.lua", "feed.lua"];

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own switch")]
fn the_digests_are_those_of_the_scripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/valkey");
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let shared: String = SHARED.map(text).concat();
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".lua") && !SHARED.contains(&name.as_str()))
        .collect();
    names.sort();
    let mut digests = String::new();
    for name in names {
        let digest = Sha1::from(shared.clone() + &text(&name)).digest();
        writeln!(digests, "{name} {digest}").unwrap();
    }
    if std::env::var("POSTINO_SNAPSHOTS").as_deref() == Ok("write") {
        fs::write(folder.join("digests.txt"), &digests).unwrap();
    }
    assert_eq!(digests, text("digests.txt"), "write them anew with POSTINO_SNAPSHOTS=write");
}
