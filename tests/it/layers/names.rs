//! The names a piece of Rust source uses outside its tests: paths, with `use` groups taken apart, and macros. It knows
//! tokens only, so comments and texts do not count, and what a macro is given does.

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A name as it stands in the source.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// The path's parts; a macro's last one ends in `!`.
    pub parts: Vec<String>,
    /// Whether it came from a `use` or `extern crate`, where a single part names a crate.
    pub imported: bool,
    /// The line, from 1.
    pub line: usize,
}

/// All names in a file.
pub(super) fn names(source: &str) -> Vec<Name> {
    let tokens: Vec<TokenTree> = TokenStream::from_str(source).unwrap().into_iter().collect();
    let mut found = Vec::new();
    walk(&tokens, &mut found);
    found
}

fn walk(tokens: &[TokenTree], found: &mut Vec<Name>) {
    let mut at = 0;
    while at < tokens.len() {
        at += match &tokens[at..] {
            [TokenTree::Punct(hash), TokenTree::Group(attribute), rest @ ..] if hash.as_char() == '#' => {
                let inside: Vec<TokenTree> = attribute.stream().into_iter().collect();
                walk(&inside, found);
                if is_for_tests(&inside) { 2 + item(rest) } else { 2 }
            }
            [TokenTree::Ident(word), rest @ ..] if word == "use" => {
                let end = 1 + rest.iter().position(|token| is(token, ';')).unwrap_or(rest.len());
                imports(&tokens[at + 1..at + end], &[], found);
                end
            }
            [TokenTree::Ident(first), TokenTree::Ident(second), TokenTree::Ident(name), ..]
                if first == "extern" && second == "crate" =>
            {
                found.push(Name { parts: vec![name.to_string()], imported: true, line: line(&tokens[at]) });
                3
            }
            [TokenTree::Group(group), ..] => {
                walk(&group.stream().into_iter().collect::<Vec<_>>(), found);
                1
            }
            [TokenTree::Ident(_), ..] => path(&tokens[at..], found),
            // The name after a dot is a field or a method, not a path.
            [TokenTree::Punct(dot), TokenTree::Ident(_), ..] if dot.as_char() == '.' => 2,
            _ => 1,
        };
    }
}

/// Takes one path, or macro, off the head; returns how many tokens it has.
fn path(tokens: &[TokenTree], found: &mut Vec<Name>) -> usize {
    let mut parts = vec![tokens[0].to_string()];
    let mut length = 1;
    while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(part), ..] = &tokens[length..] {
        if one.as_char() != ':' || two.as_char() != ':' {
            break;
        }
        parts.push(part.to_string());
        length += 3;
    }
    if let ([TokenTree::Punct(bang), TokenTree::Group(_), ..], Some(last)) = (&tokens[length..], parts.last_mut())
        && bang.as_char() == '!'
    {
        last.push('!');
    }
    found.push(Name { parts, imported: false, line: line(&tokens[0]) });
    length
}

/// Takes a `use` tree apart: `a::{b, c::d as e}` names `a::b` and `a::c::d`; `a::{self}` names `a`.
fn imports(tree: &[TokenTree], above: &[String], found: &mut Vec<Name>) {
    for branch in tree.split(|token| is(token, ',')) {
        let mut parts = above.to_vec();
        let mut named = false;
        for token in branch {
            match token {
                TokenTree::Ident(word) if word == "as" => break,
                TokenTree::Ident(word) if word == "self" && !parts.is_empty() => named = true,
                TokenTree::Ident(word) => {
                    parts.push(word.to_string());
                    named = true;
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    imports(&group.stream().into_iter().collect::<Vec<_>>(), &parts, found);
                    named = false;
                }
                TokenTree::Punct(_) | TokenTree::Group(_) | TokenTree::Literal(_) => {}
            }
        }
        if named {
            found.push(Name { parts, imported: true, line: line(&branch[0]) });
        }
    }
}

/// Whether an attribute's inside is a `cfg` that holds in tests only: `cfg(test)` or `cfg(all(test, …))`.
fn is_for_tests(attribute: &[TokenTree]) -> bool {
    let text: String = attribute.iter().map(ToString::to_string).collect();
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// The length of the item at the head: up to its body in braces, or its semicolon. Braces of a `use` are no body.
fn item(tokens: &[TokenTree]) -> usize {
    let first = tokens.iter().find(|token| matches!(token, TokenTree::Ident(word) if word != "pub"));
    let is_import = matches!(first, Some(TokenTree::Ident(word)) if word == "use");
    let is_body = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let last = tokens.iter().position(|token| is(token, ';') || (!is_import && is_body(token)));
    last.map_or(tokens.len(), |last| last + 1)
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn line(token: &TokenTree) -> usize {
    token.span().start().line
}
