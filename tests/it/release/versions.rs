//! What a release says of itself: one version everywhere, a formula, an image and workflows that fit the rest.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::kit::{Machine, done, release, root, script, stem, target};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn the_version_is_the_same_wherever_it_stands() {
    assert_eq!(done(&mut script("version")), format!("{VERSION}\n"));
    let plugin: Value = serde_json::from_str(&read("plugin/.claude-plugin/plugin.json")).unwrap();
    assert_eq!(plugin["version"], VERSION, "plugin/.claude-plugin/plugin.json");
    assert!(read("CHANGELOG.md").lines().any(|line| line.starts_with("## ") && line.contains(VERSION)), "CHANGELOG.md");
    // Nothing that is made into a release carries a number of its own.
    for path in
        ["install.sh", "npm/build.mjs", "npm/launcher.js", "npm/README.md", "packaging/postino.rb", "Dockerfile"]
    {
        assert!(!read(path).contains(VERSION), "{path} repeats the version");
    }
}

/// A release with archives of both processors, which has an address.
fn published(machine: &Machine) -> Option<String> {
    let release = release()?;
    for processor in ["x86_64", "aarch64"] {
        let name = format!("postino-{VERSION}-{processor}-unknown-linux-musl.tar.gz");
        fs::copy(release.join(stem() + ".tar.gz"), machine.path("release").join(name)).unwrap();
    }
    let address = "https://example.org/someone/postino/releases/download/v".to_owned() + VERSION;
    done(script("release").arg(machine.path("release")).env("POSTINO_RELEASE_URL", &address));
    Some(address)
}

#[test]
fn the_formula_fits_the_archives() {
    let machine = Machine::new();
    let Some(address) = published(&machine) else { return };
    let formula = fs::read_to_string(machine.path("release/postino.rb")).unwrap();
    assert!(!formula.contains('@'), "something was not filled in:\n{formula}");
    assert!(
        formula.contains(&format!("version \"{VERSION}\""))
            && formula.contains("\"https://example.org/someone/postino\"")
    );
    let sums = fs::read_to_string(machine.path("release/SHA256SUMS")).unwrap();
    for processor in ["x86_64", "aarch64"] {
        let name = format!("postino-{VERSION}-{processor}-unknown-linux-musl.tar.gz");
        let sum = sums.lines().find(|line| line.ends_with(&name)).unwrap().split(' ').next().unwrap();
        assert!(formula.contains(&format!("url \"{address}/{name}\"\n    sha256 \"{sum}\"")), "{formula}");
    }
    let archive = machine.path("release").join(stem() + ".tar.gz");
    let names = done(Command::new("tar").arg("-tzf").arg(archive));
    let installs = formula.split("def install").nth(1).unwrap().split("\n  end").next().unwrap();
    let files: Vec<_> = installs.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(files.len(), 6, "{installs}");
    for file in files {
        let file = file.replace("/*.1", "/postino.1");
        assert!(names.lines().any(|name| name.ends_with(&format!("/{file}"))), "{file} is not in the archive");
    }
    // Without a Ruby the shape above is all that is tested.
    if Command::new("ruby").arg("--version").output().is_ok() {
        done(Command::new("ruby").arg("-c").arg(machine.path("release/postino.rb")));
    }
}

#[test]
fn a_published_installer_knows_where_its_release_lies() {
    let machine = Machine::new();
    let Some(address) = published(&machine) else { return };
    let script = fs::read_to_string(machine.path("release/install.sh")).unwrap();
    assert_eq!(script, read("install.sh").replace("BASE=''", &format!("BASE='{address}'")));
    assert_ne!(script, read("install.sh"));
}

#[test]
fn an_address_that_is_more_than_one_is_not_written_into_scripts() {
    for address in
        ["http://example.org", "https://example.org/'; reboot", "https://example.org/a|b", "https://example.org/&"]
    {
        let ran = crate::support::Ran::of(script("release").arg("/nowhere").env("POSTINO_RELEASE_URL", address));
        assert_ne!(ran.code, 0, "{address}");
    }
    let machine = Machine::new();
    let ran = crate::support::Ran::of(
        script("release").arg(machine.path("release")).env("POSTINO_RELEASE_URL", "https://example.org/'; reboot"),
    );
    assert!(
        ran.code == 1 && ran.err.contains("not a plain https address") && machine.left("release").is_empty(),
        "{ran:?}"
    );
}

#[test]
fn the_image_has_no_shell_no_root_and_nothing_but_the_binary() {
    let lines = read("Dockerfile");
    let lines: Vec<_> = lines.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines[0].starts_with("FROM gcr.io/distroless/static") && lines[0].ends_with(":nonroot"), "{}", lines[0]);
    assert_eq!(lines.iter().filter(|line| line.starts_with("FROM")).count(), 1);
    assert!(lines.contains(&"COPY --chmod=755 dist/postino /usr/local/bin/postino"));
    assert!(lines.contains(&"USER 65532:65532") && lines.contains(&r#"ENTRYPOINT ["/usr/local/bin/postino"]"#));
    assert_eq!(read(".dockerignore"), "*\n!dist/postino\n");
}

#[test]
fn the_workflows_run_recipes_that_exist_and_actions_that_cannot_change() {
    let recipes = read("justfile");
    for path in [".github/workflows/ci.yml", ".github/workflows/release.yml"] {
        let text = read(path);
        let runs: Vec<_> = text.lines().filter_map(|line| line.split("run: just ").nth(1)).collect();
        assert!(!runs.is_empty(), "{path}");
        for run in runs {
            let recipe = run.split(' ').next().unwrap();
            let known = recipes.lines().any(|line| line.split([' ', ':']).next() == Some(recipe) && line.contains(':'));
            assert!(known, "{path}: just {run}");
        }
        for used in text.lines().filter_map(|line| line.split("uses: ").nth(1)) {
            let pin = used.split(['@', ' ']).nth(1).unwrap();
            assert!(pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}: {used}");
        }
        assert!(text.contains("permissions:\n  contents: read\n"), "{path}");
    }
    let built = target().starts_with("x86_64") || target().starts_with("aarch64");
    assert!(built && read(".github/workflows/release.yml").contains("[ubuntu-24.04, ubuntu-24.04-arm]"));
}
