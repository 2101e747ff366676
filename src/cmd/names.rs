//! Mistyped names: what to say of a name that nobody has, and which known name looks like it. Pure.

use crate::model::AgentName;
use crate::store::AgentInfo;

/// The names under which somebody has acted.
pub fn in_use(agents: &[AgentInfo]) -> Vec<AgentName> {
    agents.iter().filter(|agent| agent.last_seen.is_some()).map(|agent| agent.name.clone()).collect()
}

/// What to say of mail to a name that nobody has; with a known name that looks like it.
pub fn unknown(to: &AgentName, known: &[AgentName]) -> String {
    let near = known
        .iter()
        .filter(|name| *name != to)
        .map(|name| (distance(to.as_str(), name.as_str()), name))
        .min()
        .filter(|(distance, _)| *distance <= to.as_str().len() / 3);
    let hint = near.map(|(_, name)| format!("; did you mean {name}?")).unwrap_or_default();
    format!("nobody has used the name {to} yet, so the mail waits for it{hint}")
}

/// How many letters must be added, dropped or changed to make one name the other, upper and lower case being the same.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut before = i;
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let change = before + usize::from(!a.eq_ignore_ascii_case(&b));
            before = row[j + 1];
            row[j + 1] = change.min(before + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_count_letters() {
        let cases = [("", "abc", 3), ("abc", "", 3), ("reviwer", "reviewer", 1), ("Reviewer", "reviewer", 0)];
        for (one, other, wanted) in cases.into_iter().chain([("kitten", "sitting", 3), ("ab", "ba", 2)]) {
            assert_eq!(distance(one, other), wanted, "{one} {other}");
        }
    }
}
