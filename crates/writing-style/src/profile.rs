use crate::words::Reading;
use imapmcp_mime::quotes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// After so many messages all counts are halved: what was written lately weighs more.
const HALVED_AT: u32 = 200;

/// How a person writes, counted. Its texts are entries of closed lists; nothing of a message is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WritingStyle {
    messages: u32,
    unchanged: u32,
    words: u64,
    added: u64,
    removed: u64,
    formal: u32,
    informal: u32,
    greetings: BTreeMap<String, u32>,
    closings: BTreeMap<String, u32>,
    languages: BTreeMap<String, u32>,
}

/// A profile as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Messages it rests on.
    pub messages: u32,
    /// The greeting used most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// The closing used most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing: Option<String>,
    /// `formal` or `informal`, where one outweighs the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<&'static str>,
    /// Code of the language used most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Words of a message, on average.
    pub words: u64,
    /// Lines that the person adds to a draft, on average.
    pub lines_added: u64,
    /// Lines of a draft that the person takes out, on average.
    pub lines_removed: u64,
    /// Drafts that were sent as they were.
    pub unchanged: u32,
}

impl WritingStyle {
    /// Learns from a draft and what was sent in its place. Signatures and quoted messages do not count.
    pub fn learn(&mut self, draft: &str, sent: &str) {
        let (draft, sent) = (quotes::split(draft).newest, quotes::split(sent).newest);
        let read = Reading::of(sent);
        if read.words == 0 {
            return;
        }
        if self.messages >= HALVED_AT {
            self.halve();
        }
        let (added, removed) = difference(draft, sent);
        self.messages += 1;
        self.unchanged += u32::from(added + removed == 0);
        self.words += u64::from(read.words);
        self.added += added;
        self.removed += removed;
        match read.formal {
            Some(true) => self.formal += 1,
            Some(false) => self.informal += 1,
            None => {}
        }
        for (counts, word) in [
            (&mut self.greetings, read.greeting),
            (&mut self.closings, read.closing),
            (&mut self.languages, read.language),
        ] {
            if let Some(word) = word {
                *counts.entry(word.to_owned()).or_default() += 1;
            }
        }
    }

    /// As it is told to clients and to the person.
    pub fn told(&self) -> Told {
        let messages = u64::from(self.messages.max(1));
        let mean = |sum: u64| (sum + messages / 2) / messages;
        // the first of equals in the order of the alphabet: the same answer every time
        let most = |counts: &BTreeMap<String, u32>| {
            counts.iter().rev().max_by_key(|(_, count)| **count).map(|(word, _)| word.clone())
        };
        Told {
            messages: self.messages,
            greeting: most(&self.greetings),
            closing: most(&self.closings),
            form: match self.formal.cmp(&self.informal) {
                std::cmp::Ordering::Greater => Some("formal"),
                std::cmp::Ordering::Less => Some("informal"),
                std::cmp::Ordering::Equal => None,
            },
            language: most(&self.languages),
            words: mean(self.words),
            lines_added: mean(self.added),
            lines_removed: mean(self.removed),
            unchanged: self.unchanged,
        }
    }

    fn halve(&mut self) {
        for count in [&mut self.messages, &mut self.unchanged, &mut self.formal, &mut self.informal] {
            *count /= 2;
        }
        for sum in [&mut self.words, &mut self.added, &mut self.removed] {
            *sum /= 2;
        }
        for counts in [&mut self.greetings, &mut self.closings, &mut self.languages] {
            counts.retain(|_, count| {
                *count /= 2;
                *count > 0
            });
        }
    }
}

/// Lines that only the second text has, and lines that only the first has; how they are folded does not count.
fn difference(one: &str, other: &str) -> (u64, u64) {
    let lines = |text: &str| -> BTreeMap<String, i64> {
        let mut lines = BTreeMap::new();
        for line in text.lines() {
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            if !line.is_empty() {
                *lines.entry(line).or_default() += 1;
            }
        }
        lines
    };
    // the same words in lines of another length are no change
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words(one) == words(other) {
        return (0, 0);
    }
    let (one, mut other) = (lines(one), lines(other));
    let mut removed = 0;
    for (line, count) in one {
        let kept = other.get(&line).copied().unwrap_or(0).min(count);
        removed += count - kept;
        if let Some(left) = other.get_mut(&line) {
            *left -= kept;
        }
    }
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    (other.into_values().map(number).sum(), number(removed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_message_gets_into_a_profile() {
        let mut style = WritingStyle::default();
        let secret = "Hi Zebedee,\n\nthe password is xyzzy and you will have it.\n\nCheers\nMo\n-- \nMo Secret\n> quoted";
        style.learn("Dear Zebedee,\n\nthe plan.", secret);
        let stored = serde_json::to_string(&style).unwrap();
        for private in ["Zebedee", "xyzzy", "Mo", "Secret", "quoted", "password"] {
            assert!(!stored.contains(private), "{private} in {stored}");
        }
        let told = style.told();
        assert_eq!(
            (told.greeting.as_deref(), told.form, told.language.as_deref()),
            (Some("Hi"), Some("informal"), Some("en"))
        );
    }

    #[test]
    fn other_line_ends_are_no_change() {
        let mut style = WritingStyle::default();
        style.learn("Hi\n\none two\nthree", "Hi\r\n\r\none\ntwo three  ");
        assert_eq!((style.told().unchanged, style.told().lines_added), (1, 0));
        style.learn("Hi", "   ");
        assert_eq!(style.told().messages, 1, "an empty message teaches nothing");
    }

    #[test]
    fn a_profile_stays_small_and_follows_new_habits() {
        let mut style = WritingStyle::default();
        for _ in 0..5_000 {
            style.learn("x", "Dear Ada,\nfine.\nKind regards");
        }
        for _ in 0..400 {
            style.learn("x", "Hi Ada,\nfine.\nCheers");
        }
        assert_eq!(style.told().greeting.as_deref(), Some("Hi"));
        assert!(style.told().messages <= HALVED_AT);
        assert!(serde_json::to_string(&style).unwrap().len() < 500);
    }

    /// What was learnt before an update is known after it.
    #[test]
    fn a_stored_profile_is_read_as_it_was_written() {
        let stored = concat!(
            r#"{"messages":3,"unchanged":1,"words":120,"added":4,"removed":2,"formal":1,"informal":2,"#,
            r#""greetings":{"Hi":2},"closings":{"Cheers":2},"languages":{"en":3}}"#
        );
        let style: WritingStyle = serde_json::from_str(stored).unwrap();
        assert_eq!((style.told().messages, style.told().words), (3, 40));
        assert_eq!(serde_json::to_string(&style).unwrap(), stored);
    }
}
