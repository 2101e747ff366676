//! Documents of every odd but legal kind, edited and restored. It knows the formats and postino's own templates.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::json::value;
use super::*;

const HOOKS: &str = include_str!("../../../../hooks/codex/hooks.json");
const CURSOR: &str = include_str!("../../../../hooks/cursor/hooks.json");
const SERVER: &str = include_str!("../../../../hooks/gemini/mcp.json");
const TABLE: &str = include_str!("../../../../hooks/codex/config.toml");
const RULE: &str = "{\n  \"permissions\": {\n    \"allow\": [\n      \"mcp__plugin_postino_postino\"\n    ]\n  }\n}\n";

fn dialect(format: Format) -> Dialect {
    if format == Format::Jsonc { Dialect::Comments } else { Dialect::Strict }
}

/// Puts a template in, looks at what came of it, takes it out again, and gives the text between.
#[track_caller]
fn round_trip(text: &str, format: Format, template: &str) -> String {
    let edited = put(text, format, template).unwrap();
    assert_eq!(take(&edited.text, format, template, Some(&edited.made)).unwrap().text, text);
    let again = put(&edited.text, format, template).unwrap();
    assert_eq!((again.text.as_str(), again.made.0.len()), (edited.text.as_str(), 0), "twice is once");
    edited.text
}

/// Whether everything of `part` stands in `whole`: members by key, elements as a set.
fn holds(whole: &Json, part: &Json) -> bool {
    match (whole, part) {
        (Json::Object(whole), Json::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| holds(whole, part)))
        }
        (Json::Array(whole), Json::Array(part)) => part.iter().all(|part| whole.contains(part)),
        (whole, part) => whole == part,
    }
}

fn json_of(text: &str, format: Format) -> Json {
    value(text.trim_start_matches(MARK), dialect(format)).unwrap()
}

/// Strict JSON as people and programs leave it.
const STRICT: &[&str] = &[
    "",
    "\n",
    " \r\n",
    "\u{feff}",
    "{}",
    "{}\n",
    "{ }",
    "{\n}",
    "{\n}\n",
    "{\r\n}\r\n",
    "{\n\n\n}",
    "\u{feff}{\r\n\t\"model\": \"opus\"\r\n}",
    "{\"model\":\"opus\"}",
    "{\"model\":\"opus\",\"hooks\":{}}\n",
    "{\"hooks\": {\"Stop\": []}}",
    "{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"say done\"}]}]}}",
    "{\n  \"hooks\": {\n    \"Stop\": [\n      { \"hooks\": [] }\n    ]\n  }\n}\n",
    "{\n\t\"hooks\": {\n\t\t\"Stop\": [ ],\n\t\t\"Other\": null\n\t},\n\t\"z\": [1,\n\t\t2]\n}",
    "{\n   \"a\" : 1 ,\n   \"mcpServers\" : { \"x\" : { \"command\" : \"y\" } }\n   }\n\n\n",
    "{\n  \"permissions\": { \"allow\": [\"Bash(ls)\"], \"deny\": [] },\n  \"mcpServers\": {\n  }\n}",
    "{\"a\":\"// no comment, \\\"hooks\\\": {\",\"b\":\"}]\\\\\"}",
    "{\"h\\u006foks\": {\"Stop\": []}, \"\\u00e9\": \"\u{1f600}\"}",
    "{\"hooks\": 1, \"hooks\": {}}",
    "{\r\n  \"a\": 1,\n  \"b\": 2\r\n}\n",
    "  {\"a\": {\"b\": {\"c\": {}}}}  ",
];

#[test]
fn strict_json_comes_back_to_the_byte() {
    for text in STRICT {
        for template in [HOOKS, CURSOR, SERVER, RULE] {
            for format in [Format::Json, Format::Jsonc] {
                let between = round_trip(text, format, template);
                let (before, after) = (json_of(text, format), json_of(&between, format));
                assert!(holds(&after, &json_of(template, format)) && holds(&after, &before), "{text:?}");
            }
        }
    }
}

#[test]
fn comments_and_trailing_commas_come_back_to_the_byte() {
    for text in [
        "// mine\n{\n  // of the model\n  \"model\": \"x\", // why\n}\n// end",
        "{ // c\n}",
        "{ // c   \n}\n",
        "{ /* c */ }",
        "{\n  // nothing yet\n}\n",
        "{\n  \"a\": 1 // last   \n  // after\n}",
        "{\n  \"a\": 1, /* x */ // y\n}",
        "{\"a\": 1, /* x */}",
        "{\r\n  \"a\": [1, 2,], // z\r\n}\r\n",
        "{\n  \"hooks\": { // c\n    \"Stop\": [\n      // one\n      { \"hooks\": [], }, // two\n    ], /* three */\n  }, // four\n}",
        "{\"hooks\": {/* a, b */}, \"mcpServers\": {\"x\": 1 /* } */ , }}",
        "{\n  \"a\": 1 //\n}",
        "{\n  \"a\": \"/*\", // \"hooks\": {},\n  \"b\": 1\n}",
    ] {
        for template in [HOOKS, CURSOR, SERVER] {
            let between = round_trip(text, Format::Jsonc, template);
            assert!(holds(&json_of(&between, Format::Jsonc), &json_of(template, Format::Json)), "{between}");
        }
    }
}

#[test]
fn a_new_setting_looks_like_its_neighbours() {
    let text = "{\r\n\t\"a\": 1,\r\n\t\"mcpServers\": {\r\n\t\t\"x\": 2\r\n\t}\r\n}";
    let between = round_trip(text, Format::Json, SERVER);
    let wanted = "{\r\n\t\"a\": 1,\r\n\t\"mcpServers\": {\r\n\t\t\"x\": 2,\r\n\t\t\"postino\": {\r\n\t\t\t\"command\": \"postino\",\r\n\t\t\t\"args\": [\"mcp\"]\r\n\t\t}\r\n\t}\r\n}";
    assert_eq!(between, wanted);
    assert_eq!(
        round_trip("{\"a\": 1}", Format::Json, SERVER),
        "{\"a\": 1, \"mcpServers\": { \"postino\": { \"command\": \"postino\", \"args\": [\"mcp\"] } }}"
    );
    let commented = "{\n  \"a\": 1 // one\n}\n";
    assert!(round_trip(commented, Format::Jsonc, SERVER).starts_with("{\n  \"a\": 1, // one\n  \"mcpServers\": {\n"));
    for template in [HOOKS, CURSOR, SERVER] {
        assert_eq!(round_trip("\n", Format::Json, template), template, "a new file is the template");
    }
}

#[test]
fn entries_of_others_keep_their_numbers() {
    let text = "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"say\"}]}]}}";
    let between = json_of(&round_trip(text, Format::Json, HOOKS), Format::Json);
    assert_eq!(between["hooks"]["Stop"][0]["hooks"][0]["command"], "say");
    assert_eq!(between["hooks"]["Stop"][1]["hooks"][0]["command"], "postino hook stop codex");
}

#[test]
fn what_somebody_else_set_is_left_and_told() {
    let own = "{\n  \"mcpServers\": {\n    \"postino\": { \"command\": \"postino\", \"args\": [\"mcp\"], \"env\": {} }\n  }\n}";
    let edited = put(own, Format::Json, SERVER).unwrap();
    assert_eq!((edited.text.as_str(), edited.made.0.len()), (own, 0));
    assert!(
        edited.notes[0].contains("/mcpServers/postino") && edited.notes[0].contains("line 3"),
        "{:?}",
        edited.notes
    );
    let taken = take(own, Format::Json, SERVER, None).unwrap();
    assert_eq!((taken.text.as_str(), taken.notes.len()), (own, 1));

    let wrapped = "{\"hooks\": {\"Stop\": [{\"matcher\": \"x\", \"hooks\": [{\"type\": \"command\", \"command\": \"postino hook stop codex\"}]}]}}";
    let edited = put(wrapped, Format::Json, HOOKS).unwrap();
    let stops = json_of(&edited.text, Format::Json)["hooks"]["Stop"].as_array().unwrap().len();
    assert_eq!((stops, edited.notes.len()), (1, 1), "no second call of one hook");
    assert_eq!(take(&edited.text, Format::Json, HOOKS, Some(&edited.made)).unwrap().text, wrapped);
}

#[test]
fn what_was_there_before_stays_when_ours_leaves() {
    // The same entry, written by hand before: nothing was put in, so nothing is taken out.
    for text in [SERVER, HOOKS] {
        let edited = put(text, Format::Json, text).unwrap();
        assert!(edited.made.0.is_empty());
        assert_eq!(take(text, Format::Json, text, Some(&edited.made)).unwrap().text, text);
    }
    // Containers that were there and empty stay there and empty.
    let text = "{\"hooks\": {\"Stop\": []}, \"mcpServers\": {}}";
    round_trip(text, Format::Json, HOOKS);
    round_trip(text, Format::Json, SERVER);
}

#[test]
fn without_a_note_of_what_was_put_in_everything_of_ours_leaves() {
    let with = put("{\n  \"a\": 1\n}\n", Format::Json, HOOKS).unwrap().text;
    let with = put(&with, Format::Json, SERVER).unwrap().text;
    let without = take(&take(&with, Format::Json, SERVER, None).unwrap().text, Format::Json, HOOKS, None).unwrap();
    assert_eq!((without.text.as_str(), without.notes.len()), ("{\n  \"a\": 1\n}\n", 0));
    assert_eq!(take(HOOKS, Format::Json, HOOKS, None).unwrap().text, "{}\n");
}

#[test]
fn what_a_file_needs_whoever_wrote_it_stays_with_what_others_put_there() {
    let theirs =
        "{\n  \"version\": 1,\n  \"hooks\": {\n    \"stop\": [\n      { \"command\": \"./mine.sh\" }\n    ]\n  }\n}\n";
    assert_eq!(take(theirs, Format::Json, CURSOR, None).unwrap().text, theirs);
    assert_eq!(round_trip(theirs, Format::Json, CURSOR).matches("version").count(), 1);
    // A file of ours, in which somebody else put something.
    let ours = put("", Format::Json, CURSOR).unwrap();
    let shared = ours.text.replacen("\"stop\": [", "\"stop\": [\n      { \"command\": \"./mine.sh\" },", 1);
    let left = take(&shared, Format::Json, CURSOR, Some(&ours.made)).unwrap().text;
    let mine = json!({"version": 1, "hooks": {"stop": [{"command": "./mine.sh"}]}});
    assert_eq!(json_of(&left, Format::Json), mine);
    assert_eq!(take(&ours.text, Format::Json, CURSOR, None).unwrap().text.trim(), "{}");
    // Where it was put in beside what was there, it leaves again.
    round_trip("{\"hooks\": {\"stop\": [{\"command\": \"./mine.sh\"}]}}", Format::Json, CURSOR);
}

#[test]
fn a_client_that_wrote_its_file_anew_loses_nothing() {
    let edited = put("{\"z\": 1, \"hooks\": {\"Stop\": [{\"hooks\": [1]}]}}", Format::Json, HOOKS).unwrap();
    let mut anew = json_of(&edited.text, Format::Json);
    anew["y"] = json!([1, 2]);
    let anew = serde_json::to_string_pretty(&anew).unwrap();
    let taken = take(&anew, Format::Json, HOOKS, Some(&edited.made)).unwrap();
    let wanted = json!({"z": 1, "y": [1, 2], "hooks": {"Stop": [{"hooks": [1]}]}});
    assert_eq!(taken.text, serde_json::to_string_pretty(&wanted).unwrap());
}

#[test]
fn a_document_that_cannot_be_read_is_refused_with_its_line() {
    let deep = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    for (text, line) in [
        ("{\n  \"a\": 1,\n}", 3),
        ("{\n  // c\n}", 2),
        ("{\n\n  \"a\" 1\n}", 3),
        ("{\"a\": 1", 1),
        ("[]", 1),
        ("\"hooks\"", 1),
        ("{\n  \"hooks\": []\n}", 2),
        ("{\n  \"hooks\": {\n    \"Stop\": {}\n  }\n}", 3),
        ("{\"hooks\": null}", 1),
        ("{} {}", 1),
        (&deep, 1),
    ] {
        assert_eq!(put(text, Format::Json, HOOKS).unwrap_err().line, line, "{text:?}");
    }
    for text in ["{'a': 1}", "{a: 1}", "{\"a\": 0x1}", "{\"a\" 1}", "{\"a\": 1 \"b\": 2}", "{,}"] {
        assert!(put(text, Format::Jsonc, HOOKS).is_err(), "{text}");
    }
}

#[test]
fn toml_comes_back_to_the_byte() {
    for text in [
        "",
        "\n",
        "model = \"o\"",
        "model = \"o\"\n",
        "model = \"o\"\r\n\r\n[mcp_servers.x] # mine\r\ncommand = 'y'\r\n\r\n\r\n",
        "# only a comment",
        "\u{feff}a = 1\n",
        "[mcp_servers]\n",
        "[mcp_servers]\nx.command = 'y'",
        "mcp_servers.x.command = 'y'\n",
        "text = '''\n[mcp_servers.postino]\ncommand = \"postino\"\nargs = [\"mcp\"]\n'''\n",
        "a = 1\n# [mcp_servers.postino]\n\n\n",
        "[projects.\"/w\"]\ntrust_level = \"trusted\"\n  ",
    ] {
        let between = round_trip(text, Format::Toml, TABLE);
        let table: ::toml::Table = between.trim_start_matches(MARK).parse().unwrap();
        assert_eq!(table["mcp_servers"]["postino"]["command"].as_str(), Some("postino"), "{text:?}");
    }
}

#[test]
fn toml_that_others_wrote_is_left() {
    let own = "[mcp_servers.postino]\ncommand = \"/opt/postino\"\nargs = [\"mcp\"]\n";
    let edited = put(own, Format::Toml, TABLE).unwrap();
    assert_eq!((edited.text.as_str(), edited.made.0.len(), edited.notes.len()), (own, 0, 1));
    assert_eq!(take(own, Format::Toml, TABLE, None).unwrap().text, own);
    // Something was written behind ours.
    let behind = put("a = 1\n", Format::Toml, TABLE).unwrap().text + "\n[projects.x]\ntrust_level = 1\n";
    assert_eq!(take(&behind, Format::Toml, TABLE, None).unwrap().text, "a = 1\n\n[projects.x]\ntrust_level = 1\n");
    for (text, line) in [("a = \n", 1), ("a = 1\nmcp_servers = { x = { command = 'y' } }\n", 2), ("mcp_servers = 3", 1)]
    {
        assert_eq!(put(text, Format::Toml, TABLE).unwrap_err().line, line, "{text}");
    }
}

#[test]
fn a_file_of_ours_is_written_and_removed_whole() {
    let script = "// a\n";
    let edited = put("", Format::Whole, script).unwrap();
    assert_eq!((edited.text.as_str(), edited.made.0.as_slice()), (script, [String::new()].as_slice()));
    assert_eq!(put(script, Format::Whole, script).unwrap().made.0.len(), 0);
    assert_eq!(take(script, Format::Whole, script, None).unwrap().text, "");
    assert!(put("// b\n", Format::Whole, script).is_err());
    let kept = take("// b\n", Format::Whole, script, None).unwrap();
    assert_eq!((kept.text.as_str(), kept.notes.len()), ("// b\n", 1));
}

/// White space and comments that may stand between any two tokens.
fn gap(comments: bool) -> BoxedStrategy<&'static str> {
    let mut gaps = vec!["", "", " ", "\n", "\r\n", "\t", "\n\n  ", "\n    ", "  \n"];
    if comments {
        gaps.extend(["// c\n", " //  \r\n", "/* c */", "\n  /* , } ] */  ", " // a, b\n\n", "/**/ // x \n"]);
    }
    prop::sample::select(gaps).boxed()
}

/// Any document: odd layouts, keys that matter in places where they do and where they do not.
fn document(comments: bool) -> BoxedStrategy<String> {
    let keys = [
        "\"hooks\"",
        "\"Stop\"",
        "\"SessionStart\"",
        "\"mcpServers\"",
        "\"postino\"",
        "\"ho\\u006fks\"",
        "\"\"",
        "\"\u{e9}\"",
    ];
    let scalars =
        ["1", "-0.5e3", "true", "null", "\"x\"", "\"\\\"}, // \\\\\"", "\"postino hook stop codex\"", "\"\u{1f600}\""];
    let leaf = prop::sample::select(scalars.to_vec()).prop_map(str::to_owned);
    let comma = if comments { prop::bool::ANY.boxed() } else { Just(false).boxed() };
    let value = leaf.prop_recursive(4, 24, 4, move |inner| {
        let member = (gap(comments), prop::sample::select(keys.to_vec()), gap(comments), gap(comments), inner.clone(), gap(comments))
            .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
        let element = (gap(comments), inner, gap(comments)).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        let list = |items: Vec<String>, comma: bool, gap: &str| {
            let end = if comma && !items.is_empty() { "," } else { "" };
            format!("{}{end}{gap}", items.join(","))
        };
        prop_oneof![
            3 => (prop::collection::vec(member, 0..5), comma.clone(), gap(comments)).prop_map(move |(items, comma, gap)| format!("{{{}}}", list(items, comma, gap))),
            1 => (prop::collection::vec(element, 0..4), comma.clone(), gap(comments)).prop_map(move |(items, comma, gap)| format!("[{}]", list(items, comma, gap))),
        ]
    });
    (prop::bool::ANY, gap(comments), value, gap(comments))
        .prop_map(|(mark, a, value, b)| format!("{}{a}{value}{b}", if mark { "\u{feff}" } else { "" }))
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_document_comes_back_to_the_byte(
        (comments, text) in prop::bool::ANY.prop_flat_map(|comments| (Just(comments), document(comments))),
        which in 0usize..3,
    ) {
        let format = if comments { Format::Jsonc } else { Format::Json };
        let template = [HOOKS, CURSOR, SERVER][which];
        // A document may hold our sections as something else; that it could not be undone is no excuse.
        match put(&text, format, template) {
            Err(flaw) => prop_assert!(flaw.what.starts_with("has "), "{} {:?}", flaw.what, text),
            Ok(edited) => {
                let between = round_trip(&text, format, template);
                prop_assert_eq!(&between, &edited.text);
                let (before, after) = (json_of(&text, format), json_of(&between, format));
                prop_assert!(holds(&after, &before), "{:?}", between);
                prop_assert!(!edited.notes.is_empty() || holds(&after, &json_of(template, Format::Json)), "{:?}", between);
            }
        }
    }

    #[test]
    fn any_toml_comes_back_to_the_byte(
        lines in prop::collection::vec(prop::sample::select(vec![
            "", "# c", "k = 1", "[a]", "[mcp_servers.x]", "[mcp_servers]", "  # [mcp_servers.postino]", "[[b]]", "args = [\"mcp\"]", "  ",
        ]), 0..8),
        newline in prop::sample::select(vec!["\n", "\r\n"]),
        last in prop::bool::ANY,
    ) {
        let text = lines.join(newline) + if last { newline } else { "" };
        if let Ok(edited) = put(&text, Format::Toml, TABLE) {
            prop_assert_eq!(round_trip(&text, Format::Toml, TABLE), edited.text);
        } else {
            prop_assert!(text.parse::<::toml::Table>().is_err(), "{:?}", text);
        }
    }
}
