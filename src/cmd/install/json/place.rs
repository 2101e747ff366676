//! Where an item goes in the text of a JSON object or array, and how it leaves again: `remove` undoes `append` to the byte.
//!
//! It knows brackets, commas, white space and comments of a text that has been parsed; it knows no keys and no values.

use std::ops::Range;

/// An object's or array's text: where its bracket opens, and its items.
pub struct Container<'a> {
    /// The whole document.
    pub text: &'a str,
    /// The offset of the opening bracket.
    pub open: usize,
    /// Each member or element, from its first byte to its last.
    pub items: Vec<Range<usize>>,
}

impl Container<'_> {
    /// The document with one more item at the end. The item is given on lines indented by two spaces a level; it is laid
    /// out as its neighbours are.
    pub fn append(&self, item: &str) -> String {
        match self.items.last() {
            Some(last) => self.append_after(last, item),
            None => self.append_first(item),
        }
    }

    /// An item for an empty container stands on a line of its own, also where the brackets stood on one.
    fn append_first(&self, item: &str) -> String {
        let (text, newline) = (self.text, newline(self.text));
        let outer = indent_at(text, self.open);
        let inner = format!("{outer}{}", unit(text));
        let laid = lay_out(item, &inner, text);
        insert(text, &[(past_comment(text, self.open + 1), format!("{newline}{inner}{laid}{newline}{outer}"))])
    }

    fn append_after(&self, last: &Range<usize>, item: &str) -> String {
        let text = self.text;
        let gap = &text[space_before(text, last.start)..last.start];
        let comma = comma_after(text, last.end);
        let end = comma.map_or(last.end, |comma| comma + 1);
        let (at, item) = match gap.rfind('\n') {
            Some(line) => {
                let indent = &gap[line + 1..];
                (past_comment(text, end), format!("{}{indent}{}", newline(text), lay_out(item, indent, text)))
            }
            None => (end, format!(" {}", on_one_line(item))),
        };
        match comma {
            // Where the last item is followed by a comma, ours is too.
            Some(_) => insert(text, &[(at, item + ",")]),
            None => insert(text, &[(last.end, ",".to_owned()), (at, item)]),
        }
    }

    /// The document without one of its items, the comma and the white space that came with it.
    pub fn remove(&self, index: usize) -> String {
        let (text, item) = (self.text, &self.items[index]);
        let mut cuts = vec![(space_before(text, item.start), item.end)];
        let mut end = item.end;
        if let Some(comma) = comma_after(text, item.end) {
            cuts.push((comma, comma + 1));
            end = comma + 1;
        } else if let Some(comma) = index.checked_sub(1).and_then(|before| comma_after(text, self.items[before].end)) {
            cuts.insert(0, (comma, comma + 1));
        }
        let tail = format!("{}{}", newline(text), indent_at(text, self.open));
        if self.items.len() == 1 && text[end..].starts_with(&tail) {
            cuts.push((end, end + tail.len()));
        }
        cut(text, &cuts)
    }
}

/// The newline in use: the first one's.
pub fn newline(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        Some(_) | None => "\n",
    }
}

/// One level of indentation: that of the first line that has any.
fn unit(text: &str) -> String {
    let indented = text.lines().find(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty());
    match indented.map(|line| &line[..line.len() - line.trim_start().len()]) {
        Some(space) if space.starts_with('\t') => "\t".to_owned(),
        Some(space) if space.len() > 1 => space.to_owned(),
        Some(_) | None => "  ".to_owned(),
    }
}

/// The indentation of the line that an offset lies on.
fn indent_at(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The lines of an item after its first are moved below `base`, in the document's indentation and newlines.
fn lay_out(item: &str, base: &str, text: &str) -> String {
    let (newline, unit) = (newline(text), unit(text));
    let line = |line: &str| {
        let content = line.trim_start_matches(' ');
        unit.repeat((line.len() - content.len()) / 2) + content
    };
    item.lines().map(line).collect::<Vec<_>>().join(&format!("{newline}{base}"))
}

fn on_one_line(item: &str) -> String {
    item.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Where the white space before an offset begins.
fn space_before(text: &str, at: usize) -> usize {
    text[..at].trim_end().len()
}

/// The offset of the comma that follows, white space and comments left out.
fn comma_after(text: &str, mut at: usize) -> Option<usize> {
    loop {
        at = text.len() - text[at..].trim_start().len();
        let rest = &text[at..];
        if rest.starts_with("//") {
            at += rest.find('\n')?;
        } else if rest.starts_with("/*") {
            at += rest.find("*/")? + 2;
        } else {
            return rest.starts_with(',').then_some(at);
        }
    }
}

/// An offset, or the end of the comments that fill the rest of its line: what is inserted there does not come between a line and
/// the comment on it. White space behind a comment is left out, so that what is inserted begins where something else ends.
fn past_comment(text: &str, from: usize) -> usize {
    let end = text[from..].find('\n').map_or(text.len(), |newline| from + newline);
    let line = &text[from..end];
    let mut rest = line.trim_start();
    while let Some(comment) = rest.strip_prefix("/*") {
        match comment.split_once("*/") {
            Some((_, after)) => rest = after.trim_start(),
            None => return from,
        }
    }
    if rest.is_empty() || rest.starts_with("//") { from + line.trim_end().len() } else { from }
}

/// The text with pieces put in at offsets, which come in order.
fn insert(text: &str, pieces: &[(usize, String)]) -> String {
    let mut result = String::new();
    let mut from = 0;
    for (at, piece) in pieces {
        result.push_str(&text[from..*at]);
        result.push_str(piece);
        from = *at;
    }
    result + &text[from..]
}

/// The text without some pieces, from one offset to another, which come in order.
fn cut(text: &str, pieces: &[(usize, usize)]) -> String {
    let mut result = String::new();
    let mut from = 0;
    for (start, end) in pieces {
        result.push_str(&text[from..*start]);
        from = *end;
    }
    result + &text[from..]
}
