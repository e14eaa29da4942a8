//! What to search for to find the rest of a conversation.

use crate::conversation::{Ties, members};
use crate::imap::wire::command::Command;
use imapmcp_core::mail::Message;
use std::collections::{BTreeSet, HashSet};

/// Octets of search keys in one command; some servers take 8,000 in a line.
const MAX_KEYS: usize = 6_000;
/// Search keys of one command.
const MAX_TERMS: usize = 100;

/// A search key of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    MessageId(String),
    References(String),
    InReplyTo(String),
    Subject(String),
}

/// One search for as many of the keys as fit, and those; subjects in other scripts only where the server takes them.
pub(crate) fn search_for(keys: &[Key], ascii: bool) -> (Command, Vec<Key>) {
    let (mut used, mut octets) = (Vec::new(), 0);
    for key in keys.iter().take(MAX_TERMS) {
        let (Key::MessageId(text) | Key::References(text) | Key::InReplyTo(text) | Key::Subject(text)) = key;
        octets += text.len() + 30;
        let sayable = text.is_ascii() || (matches!(key, Key::Subject(_)) && !ascii);
        if octets < MAX_KEYS && sayable {
            used.push(key.clone());
        }
    }
    let unicode = used.iter().any(|key| matches!(key, Key::Subject(text) if !text.is_ascii()));
    let search = Command::new(if unicode { "UID SEARCH CHARSET UTF-8 " } else { "UID SEARCH " });
    (either(search, &used), used)
}

/// `OR` of keys, as a balanced tree: servers nest.
fn either(command: Command, keys: &[Key]) -> Command {
    match keys {
        // Nothing to look for.
        [] => command.raw("NOT ALL"),
        [key] => {
            let id = |command: Command, id: &str| command.string(&format!("<{id}>"));
            match key {
                Key::MessageId(text) => id(command.raw("HEADER \"Message-ID\" "), text),
                Key::References(text) => id(command.raw("HEADER \"References\" "), text),
                Key::InReplyTo(text) => id(command.raw("HEADER \"In-Reply-To\" "), text),
                Key::Subject(text) => command.raw("SUBJECT ").string(text),
            }
        }
        keys => {
            let (one, two) = keys.split_at(keys.len() / 2);
            either(either(command.raw("OR "), one).raw(" "), two)
        }
    }
}

/// What finds most of a conversation at once: everything that refers to its root, what this message refers to (parents
/// first), and what only its subject ties.
pub(crate) fn first_keys(ties: &Ties) -> Vec<Key> {
    let mut keys = Vec::new();
    for id in ties.root().into_iter().chain(&ties.id).collect::<BTreeSet<_>>() {
        keys.extend([Key::References(id.clone()), Key::InReplyTo(id.clone())]);
    }
    keys.extend(ties.root().map(|root| Key::MessageId(root.clone())));
    // The subject as it is written, for servers that compare without decoding as well as they can.
    if ties.subject.chars().count() >= 2 {
        keys.push(Key::Subject(ties.subject.clone()));
    }
    keys.extend(ties.references.iter().rev().take(20).map(|id| Key::MessageId(id.clone())));
    dedup(keys)
}

/// What was mentioned and neither found nor asked for, and the children of those whose replies need not mention the
/// root: there are such clients if one of the messages found was written by one.
pub(crate) fn further_keys<'m>(
    seed: &Message,
    found: impl Iterator<Item = &'m Message>,
    owner: &str,
    asked: &HashSet<Key>,
) -> Vec<Key> {
    let seed = Ties::of(&seed.summary, &seed.header, owner);
    let root = seed.root().cloned();
    let mut all = vec![seed];
    all.extend(found.map(|message| Ties::of(&message.summary, &message.header, owner)));
    let inside = members(&all);
    let own: Vec<_> = all.iter().zip(inside).filter(|(_, inside)| *inside).map(|(ties, _)| ties).collect();
    let here: HashSet<_> = own.iter().filter_map(|ties| ties.id.as_ref()).collect();
    let mut keys = Vec::new();
    for id in own.iter().flat_map(|ties| &ties.references).filter(|id| !here.contains(id)) {
        let lost = Key::MessageId(id.clone());
        if !asked.contains(&lost) {
            keys.extend([lost, Key::References(id.clone()), Key::InReplyTo(id.clone())]);
        }
    }
    let rootless = own
        .iter()
        .filter(|ties| ties.id != root && !root.as_ref().is_some_and(|root| ties.references.contains(root)));
    if rootless.count() > 0 {
        for id in own.iter().filter_map(|ties| ties.id.as_ref()) {
            keys.extend([Key::References(id.clone()), Key::InReplyTo(id.clone())]);
        }
    }
    keys.retain(|key| !asked.contains(key));
    dedup(keys)
}

fn dedup(keys: Vec<Key>) -> Vec<Key> {
    let mut known = HashSet::new();
    keys.into_iter().filter(|key| known.insert(key.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_never_outgrows_a_line() {
        let keys: Vec<_> =
            (0..500).map(|number| Key::MessageId(format!("{number}@{}", "x".repeat(99)))).collect();
        let command = either(Command::new("UID SEARCH "), &keys[..40]);
        assert!(command.texts[0].len() < 8_000);
        assert!(command.texts[0].starts_with("UID SEARCH OR OR OR"));
    }
}
