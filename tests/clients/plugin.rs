//! The plugin as the client sees it: valid to the letter, and installed from a clean clone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::claude::Claude;
use crate::mock::{shell, text};
use crate::postino::{claude, name_of_run, name_of_tab, plugin, told, wakes};
use crate::tab::Tab;
use crate::world::World;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_plugin_and_the_marketplace_are_valid() {
    let world = World::new();
    let Some(claude) = Claude::new(&world) else { return };
    for folder in [plugin(), Path::new(ROOT)] {
        let ran = claude.run(&["plugin", "validate", "--strict", folder.to_str().unwrap()]);
        assert_eq!(ran.code, Some(0), "{}: {ran:?}", folder.display());
    }
}

#[test]
fn a_clean_clone_installs() {
    let world = World::new();
    let Some(claude) = Claude::new(&world) else { return };
    let clone = world.path("clone");
    let cloned = Command::new("git").args(["clone", "-q", ROOT]).arg(&clone).output().unwrap();
    assert!(cloned.status.success(), "{}", String::from_utf8_lossy(&cloned.stderr));
    for args in [&["marketplace", "add", clone.to_str().unwrap()][..], &["install", "postino@postino"]] {
        let ran = claude.run(&[&["plugin"], args].concat());
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
    }
    let (name, _) = name_of_run(&claude, &[]);
    assert_eq!(name, "project");
    let listed = claude.run(&["mcp", "list"]).stdout;
    assert!(listed.lines().any(|line| line.starts_with("plugin:postino:postino: ") && line.contains('✔')), "{listed}");
    let tab = Tab::open(&claude, &[]);
    let name = name_of_tab(&tab, "that is me again");
    wakes(&tab, &name);
}

#[test]
fn its_command_stands_for_one_of_the_shell() {
    let world = World::new();
    let Some(claude) = claude(&world) else { return };
    for (typed, command, said) in [
        ("whoami", "postino whoami", "project (by this session)"),
        ("rename critic", "postino rename critic", "renamed project to critic"),
        ("agents", "postino agents", "WAITING"),
        ("broadcast it's frozen", r"postino broadcast -- 'it'\''s frozen'", "to everybody"),
        ("check", "postino check", "done"),
    ] {
        claude.mock.answers([shell(command), text("done")]);
        assert_eq!(claude.print(&[], &format!("/postino:postino {typed}")).text, "done");
        let heard = claude.mock.last();
        assert!(heard.says(&format!("The user typed `/postino {typed}`")), "{typed}");
        assert!(heard.says(said), "{typed}: {:?}", heard.texts());
    }
    assert!(world.postino(&["--agent", "somebody", "broadcasts"]).contains("it's frozen"));
}

#[test]
fn what_install_registers_works_and_uninstall_takes_it_back() {
    let world = World::new();
    let Some(claude) = Claude::new(&world) else { return };
    let folder = world.path("bin");
    fs::create_dir(&folder).unwrap();
    symlink(&claude.command(&[])[0], folder.join("claude")).unwrap();
    let mut env = claude.variables();
    env.entry("PATH".to_owned()).and_modify(|path| *path = format!("{}:{path}", folder.display()));
    let postino = |arg: &str| {
        let ran = world.run(&[env!("CARGO_BIN_EXE_postino").to_owned(), arg.to_owned()], &env, &claude.folder);
        assert_eq!(ran.code, Some(0), "postino {arg}: {ran:?}");
    };
    let settings = || fs::read_to_string(world.path("home/.claude/settings.json")).unwrap();
    let before = settings();
    postino("install");
    let (name, _) = name_of_run(&claude, &[]);
    assert_eq!(name, "project");
    let installed = settings();
    postino("install");
    assert_eq!(settings(), installed, "twice is once");
    postino("uninstall");
    assert_eq!(settings(), before);
    claude.print(&[], "hello");
    assert_eq!(told(&claude.mock.last()), [""; 0]);
}
