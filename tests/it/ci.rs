//! docs/ci.md: its scripts are taken out of the page and run as a runner of GitHub Actions and one of GitLab would run them.
//! It knows of both only what the page relies on.

mod runner;
mod snippets;

use std::fs;

use self::runner::{Github, Job, Reviewer};
use self::snippets::{PAGE, github, gitlab};
use crate::release::release;

/// Text that would take over a runner of GitHub Actions that listens.
const EVIL: &str = "yes, but\n::error::x\n  ::add-mask::y\n::set-env name=A::b\n##[add-path]/tmp and a##[error]b\n\
    EOF\ntext<<EOF\nother=1\r::stop-commands::guess\r\n::guess::\n\u{1b}[31m::endgroup::";

#[test]
fn a_failed_build_is_told_to_everybody_and_its_state_to_one() {
    let Some(release) = release() else { return };
    let job = Job::new(release);
    let mut github = Github::new(&job);
    assert_eq!(github.step("Install postino").code, 0);
    assert_eq!(github.step("Test").code, 0);
    assert_eq!(fs::read_to_string(job.path("made")).unwrap(), "test\n");
    for _ in 0..2 {
        for step in ["Tell everybody when it failed", "Tell one agent in any case"] {
            let ran = github.step(step);
            assert_eq!(ran.code, 0, "{step}: {ran:?}");
        }
    }
    let news = job.postino("someone", &["broadcasts"]);
    assert_eq!(
        news.matches("CI failed on main: https://github.example/someone/shop/actions/runs/17").count(),
        1,
        "{news}"
    );
    assert_eq!(job.postino("release-watcher", &["read", "--raw"]), "0123abc: failure");
}

#[test]
fn an_answer_decides_and_cannot_command_the_runner() {
    let Some(release) = release() else { return };
    for (answer, code) in [(EVIL, 0), ("No.\n::error::x", 1), ("maybe yes", 1)] {
        let job = Job::new(release);
        let mut github = Github::new(&job);
        assert_eq!(github.step("Install postino").code, 0);
        let reviewer = Reviewer::answering(&job, "reviewer", answer);
        let ran = github.step("Ask before it goes out");
        assert!(reviewer.was_asked().starts_with("May 0123abc go to production?"));
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(
            String::from_utf8_lossy(&ran.bytes).contains(answer.split(',').next().unwrap().lines().next().unwrap())
        );
        assert_eq!(github.commands(), Vec::<String>::new(), "{ran:?}");
    }
}

#[test]
fn a_text_is_passed_on_whole_and_cannot_command_the_runner() {
    let Some(release) = release() else { return };
    for end in ["", "\n", "\r", "\r\n\n"] {
        let job = Job::new(release);
        let mut github = Github::new(&job);
        assert_eq!(github.step("Install postino").code, 0);
        let text = format!("{EVIL}{end}");
        let reviewer = Reviewer::answering(&job, "writer", &text);
        let ran = github.step("Ask for a text");
        assert!(reviewer.was_asked().contains("0123abc"));
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(github.commands(), Vec::<String>::new(), "{ran:?}");
        assert_eq!(github.outputs(), [("text".to_owned(), text.trim_end_matches('\n').to_owned())]);
        // The runner listens again.
        github.hears("::notice::x");
        assert_eq!(github.commands(), ["notice"]);
    }
}

#[test]
fn the_runner_of_these_tests_would_have_obeyed() {
    let Some(release) = release() else { return };
    let job = Job::new(release);
    let mut github = Github::new(&job);
    github.hears(EVIL);
    assert_eq!(github.commands(), ["error", "add-mask", "set-env", "add-path"]);
}

#[test]
fn no_answer_and_no_store_fail_the_step_that_asks() {
    let Some(release) = release() else { return };
    let job = Job::new(release);
    let mut github = Github::new(&job);
    assert_eq!(github.step("Install postino").code, 0);
    github.replace("--timeout 900", "--timeout 0");
    assert_eq!(github.step("Ask before it goes out").code, 4);
    github.set("POSTINO_VALKEY_URL", crate::support::NOWHERE);
    assert_eq!(github.step("Ask before it goes out").code, 7);
}

#[test]
fn gitlab_is_told_and_asks_too() {
    let Some(release) = release() else { return };
    let job = Job::new(release);
    for (status, told) in [("success", 0), ("failed", 1)] {
        let ran = job.gitlab(&[&gitlab("default", "before_script"), &gitlab("test", "script")], status);
        assert_eq!(ran.code, 0, "{ran:?}");
        let ran = job.gitlab(&[&gitlab("test", "after_script")], status);
        assert_eq!(ran.code, 0, "{ran:?}");
        let news = job.postino("someone", &["broadcasts", "--all"]);
        assert_eq!(news.matches("CI failed on main: https://gitlab.example/jobs/17").count(), told, "{news}");
    }
    for (answer, code, made) in [("no", 1, "test\ntest\n"), ("Yes, go", 0, "test\ntest\ndeploy\n")] {
        let reviewer = Reviewer::answering(&job, "reviewer", answer);
        let ran = job.gitlab(&[&gitlab("default", "before_script"), &gitlab("deploy", "script")], answer);
        assert!(reviewer.was_asked().starts_with("May 0123abc go to production?"));
        assert_eq!((ran.code, fs::read_to_string(job.path("made")).unwrap().as_str()), (code, made), "{ran:?}");
    }
}

#[test]
fn no_script_of_the_page_holds_a_secret_or_pastes_what_others_wrote() {
    let scripts: Vec<_> = github().into_values().collect();
    assert_eq!(scripts.len(), 6);
    let of_gitlab = [("default", "before_script"), ("test", "script"), ("test", "after_script"), ("deploy", "script")];
    let of_gitlab = of_gitlab.map(|(job, part)| gitlab(job, part));
    for script in scripts.iter().chain(&of_gitlab) {
        assert!(!script.is_empty());
        for never in ["${{", "--store", "VALKEY_URL", "TOKEN"] {
            assert!(!script.contains(never), "{never} in\n{script}");
        }
    }
    assert!(PAGE.contains("POSTINO_VALKEY_URL: ${{ secrets.POSTINO_VALKEY_URL }}"));
}
