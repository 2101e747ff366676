//! Pieces of text that several commands print: times, counts, messages, tables. Pure; knows no operation and no stream.

use crate::model::{AgentName, Message, Millis, Recipient, Standing, State};
use crate::output::Style;
use crate::store::Record;

/// A number with its word, e.g. `1 message`, `2 messages`.
pub fn count(n: u64, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

/// A point in time to the second, e.g. `2026-01-31 08:00:00Z`.
pub fn moment(time: Millis) -> String {
    let text = time.to_string();
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(clock)) => format!("{day} {clock}Z"),
        (_, _) => text,
    }
}

/// How long ago a time was, or the time when that is more than a day.
pub fn age(time: Millis, now: Millis) -> String {
    match now.since(time).as_secs() {
        0..60 => "just now".to_owned(),
        secs @ 60..3_600 => format!("{} min ago", secs / 60),
        secs @ 3_600..86_400 => format!("{} h ago", secs / 3_600),
        _ => moment(time),
    }
}

/// What an agent is doing.
pub fn state(state: State) -> &'static str {
    match state {
        State::Working => "working",
        State::Idle => "idle",
        State::Offline => "offline",
    }
}

/// What is known of a recipient.
pub fn recipient(recipient: Recipient) -> &'static str {
    match recipient {
        Recipient::Working => "working",
        Recipient::Idle => "idle",
        Recipient::Offline => "offline",
        Recipient::Unknown => "unknown",
    }
}

/// A message as its reader sees it: a header, then the body under it.
pub fn mail(message: &Message, now: Millis, style: &Style) -> String {
    let mut header = vec![format!("from {}", style.name(&message.from)), age(message.timestamp, now)];
    header.push(style.dim(message.id));
    header.extend(message.urgent.then(|| style.bad("urgent")));
    header.extend(message.reply_to.map(|id| format!("answers {}", style.dim(id))));
    header.extend(message.deliveries.filter(|n| *n > 1).map(|n| format!("delivery {n}")));
    let mut text = header.join("  ") + "\n";
    if let Some(receipt) = message.receipt {
        let until = message.lease_until.map(|until| format!("  held until {}", moment(until))).unwrap_or_default();
        text.push_str(&format!("receipt {receipt}{until}\n"));
    }
    text + &style.body(message.body.as_str())
}

/// A message of the past: who to whom, what became of it, and the body.
pub fn record(record: &Record, now: Millis, style: &Style) -> String {
    let message = &record.message;
    let mut header = vec![format!("from {} to {}", style.name(&message.from), style.name(&message.to))];
    header.push(age(message.timestamp, now));
    header.push(style.dim(message.id));
    header.extend(message.urgent.then(|| style.bad("urgent")));
    header.push(standing(record, |time| age(time, now)));
    header.join("  ") + "\n" + &style.body(message.body.as_str())
}

/// What became of a message, with times as `when` tells them.
pub fn standing(record: &Record, when: impl Fn(Millis) -> String) -> String {
    let by = |what: &str, by: Option<&AgentName>, at: Option<Millis>| {
        let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
        let at = at.map(|at| format!(" {}", when(at))).unwrap_or_default();
        format!("{what}{by}{at}")
    };
    match record.standing {
        Standing::Waiting => "waiting".to_owned(),
        Standing::Leased => by("held", record.taken_by.as_ref(), record.taken_at),
        Standing::Taken => by("taken", record.taken_by.as_ref(), record.acked_at),
        Standing::Dead => "dead".to_owned(),
    }
}

/// Blocks with an empty line between them.
pub fn blocks(blocks: impl Iterator<Item = String>) -> String {
    blocks.collect::<Vec<_>>().join("\n")
}

/// Rows with columns as wide as their widest cell; `paint` colours a padded cell of a column.
pub fn table<const N: usize>(rows: &[[String; N]], paint: impl Fn(usize, &str) -> String) -> String {
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        let last = row.iter().rposition(|cell| !cell.is_empty()).unwrap_or(0);
        let cells = row[..=last].iter().enumerate().map(|(column, cell)| {
            let width = if column == last { 0 } else { widths[column] };
            paint(column, &format!("{cell:<width$}"))
        });
        text.push_str(&cells.collect::<Vec<_>>().join("  "));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_rough() {
        let now = Millis(1_800_000_000_000);
        let ago = |secs: i64| age(Millis(now.0 - secs * 1_000), now);
        assert_eq!([ago(-5), ago(0), ago(59)], ["just now"; 3]);
        assert_eq!([ago(60), ago(3_599)], ["1 min ago", "59 min ago"]);
        assert_eq!([ago(3_600), ago(86_399)], ["1 h ago", "23 h ago"]);
        assert_eq!(ago(86_400), "2027-01-14 08:00:00Z");
    }

    #[test]
    fn columns_are_aligned_and_end_without_blanks() {
        let rows = [["a", "bb", ""], ["aaa", "b", "c"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows, |_, cell| cell.to_owned()), "a    bb\naaa  b   c\n");
    }
}
