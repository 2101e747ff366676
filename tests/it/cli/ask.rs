//! `postino ask`.

use crate::support::{Postino, Ran, on_each_store};

on_each_store!(
    it_prints_the_answer_and_takes_it,
    its_json_is_the_record,
    an_answer_can_be_had_byte_for_byte,
    no_answer_is_a_failure,
    a_mistyped_name_gets_a_suggestion,
);

/// Asks, while `reviewer` answers the first message that comes.
fn ask(postino: &Postino, args: &[&str], answer: &str) -> Ran {
    postino.meet("reviewer");
    let line = [&["ask", "reviewer", "may I merge?", "--timeout", "30"], args].concat();
    std::thread::scope(|scope| {
        let asker = scope.spawn(|| postino.run("ci", &line));
        let question =
            postino.json("reviewer", &["read", "--wait", "30"])["messages"][0]["id"].as_str().unwrap().to_owned();
        // Other mail does not count as the answer.
        postino.send("reviewer", "ci", "something else");
        let said = postino.feed("reviewer", &["send", "ci", "--reply-to", &question], answer.as_bytes());
        assert_eq!(said.code, 0, "{}", said.err);
        asker.join().unwrap()
    })
}

fn it_prints_the_answer_and_takes_it(postino: &Postino) {
    ask(postino, &[], "yes\x1b[2J\nmerge it").is(0, "yes\\x1b[2J\nmerge it\n", "");
    postino.run("ci", &["read", "--raw"]).is(0, "something else", "");
}

fn its_json_is_the_record(postino: &Postino) {
    let record = ask(postino, &["--json"], "yes").json();
    assert_eq!((record["body"].as_str(), record["from"].as_str()), (Some("yes"), Some("reviewer")));
    assert!(record["replyTo"].is_string() && record["standing"].is_string(), "{record}");
}

fn an_answer_can_be_had_byte_for_byte(postino: &Postino) {
    assert_eq!(ask(postino, &["--raw"], "yes\x1b[2J\r\n\n").bytes, b"yes\x1b[2J\r\n\n");
}

fn no_answer_is_a_failure(postino: &Postino) {
    postino.meet("reviewer");
    let ran = postino.run("ci", &["ask", "reviewer", "may I merge?", "--timeout", "0"]);
    let hint =
        "  try: a late answer comes as mail; `postino history --thread <id>` shows what became of the question\n";
    ran.is(4, "", &format!("postino: reviewer did not answer <id> within 0 s\n{hint}"));
    assert_eq!(postino.run("reviewer", &["read", "--raw"]).out, "may I merge?");
    assert_eq!(postino.run("ci", &["ask", "reviewer", "x", "--timeout", "1.5"]).code, 2);
}

fn a_mistyped_name_gets_a_suggestion(postino: &Postino) {
    postino.meet("reviewer");
    let ran = postino.run("ci", &["ask", "reviwer", "may I merge?", "--timeout", "0"]);
    let wanted = "postino: nobody has used the name reviwer yet, so the mail waits for it; did you mean reviewer?\n";
    assert!(ran.code == 4 && ran.err.starts_with(wanted), "{}", ran.err);
}
