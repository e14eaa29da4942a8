//! Which messages belong together: by Message-ID, In-Reply-To and References, and by subject where a client wrote
//! neither (RFC 5256 §2.1 for the base of a subject).

use imapmcp_core::mail::{Address, Summary};
use imapmcp_mime::header::decoded;
use std::collections::HashSet;

/// Identifiers taken from one message, whatever it claims: the first and the last ones count.
const MAX_REFERENCES: usize = 40;
/// Octets of the longest identifier; RFC 5322 lines have 998.
const MAX_ID: usize = 500;
/// Participants of one message.
const MAX_PEOPLE: usize = 200;
/// Characters of a subject, and prefixes taken off it.
const MAX_SUBJECT: usize = 500;
const MAX_PREFIXES: usize = 20;
/// Seconds between two messages that only their subject ties together.
const MAX_APART: i64 = 30 * 24 * 3_600;

/// What ties a message to others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ties {
    /// Message-ID, without brackets.
    pub(crate) id: Option<String>,
    /// References, then In-Reply-To: eldest first.
    pub(crate) references: Vec<String>,
    /// The base of the subject, lower case.
    pub(crate) subject: String,
    /// Whether the subject says that this is a reply.
    reply: bool,
    senders: HashSet<String>,
    people: HashSet<String>,
    date: Option<i64>,
}

impl Ties {
    /// Of a message, by its summary and its header section.
    pub(crate) fn of(summary: &Summary, header: &[u8], owner: &str) -> Self {
        let mut references = field(header, "references").map(|text| identifiers(&text)).unwrap_or_default();
        if references.len() > MAX_REFERENCES {
            references.drain(1..=references.len() - MAX_REFERENCES);
        }
        let parent = field(header, "in-reply-to").or_else(|| summary.envelope.in_reply_to.clone());
        for id in parent.map(|text| identifiers(&text)).unwrap_or_default().into_iter().take(3) {
            if !references.contains(&id) {
                references.push(id);
            }
        }
        let id = field(header, "message-id").or_else(|| summary.envelope.message_id.clone());
        let envelope = &summary.envelope;
        // Everything here is from or to the owner; that ties nothing together.
        let owner = owner.to_lowercase();
        let others = |lists: &[&Vec<Address>]| -> HashSet<String> {
            let all = lists.iter().copied().flatten().take(MAX_PEOPLE).map(|one| one.email.to_lowercase());
            all.filter(|email| *email != owner).collect()
        };
        let senders = others(&[&envelope.from]);
        let people = others(&[&envelope.from, &envelope.reply_to, &envelope.to, &envelope.cc]);
        let (subject, reply) = base_subject(&decoded(envelope.subject.as_deref().unwrap_or_default()));
        Self {
            id: id.and_then(|text| identifiers(&text).into_iter().next()),
            references,
            subject: subject.to_lowercase(),
            reply,
            senders,
            people,
            date: summary.internal_date.map(imapmcp_core::time::Timestamp::seconds),
        }
    }

    /// The eldest identifier it knows.
    pub(crate) fn root(&self) -> Option<&String> {
        self.references.first().or(self.id.as_ref())
    }

    /// A reply whose client did not say to what.
    fn is_orphan(&self) -> bool {
        self.reply && self.references.is_empty() && !self.subject.is_empty()
    }

    fn joins_by_subject(&self, other: &Self) -> bool {
        let near = match (self.date, other.date) {
            (Some(one), Some(two)) => (one - two).abs() <= MAX_APART,
            _ => false,
        };
        near && self.subject == other.subject
            && (self.is_orphan() || other.is_orphan())
            && self.shares_people_with(other)
    }

    /// One wrote to or about the other; two messages of the owner share whom they went to.
    fn shares_people_with(&self, other: &Self) -> bool {
        if self.senders.is_empty() && other.senders.is_empty() {
            return !self.people.is_disjoint(&other.people)
                || (self.people.is_empty() && other.people.is_empty());
        }
        !self.senders.is_disjoint(&other.people) || !other.senders.is_disjoint(&self.people)
    }
}

/// Which of these belong to the conversation of the first.
pub(crate) fn members(all: &[Ties]) -> Vec<bool> {
    let mut inside = vec![false; all.len()];
    let mut known: HashSet<&String> = HashSet::new();
    let mut queue = vec![0];
    while let Some(next) = queue.pop() {
        let Some(seat) = inside.get_mut(next).filter(|seat| !**seat) else { continue };
        *seat = true;
        let member = &all[next];
        known.extend(member.id.iter().chain(&member.references));
        for (index, one) in all.iter().enumerate() {
            let tied = || one.id.iter().chain(&one.references).any(|id| known.contains(id));
            if !inside[index] && (tied() || one.joins_by_subject(member)) {
                queue.push(index);
            }
        }
    }
    inside
}

/// A header field, unfolded; the first of that name (lower case).
pub(crate) fn field(header: &[u8], name: &str) -> Option<String> {
    let mut value: Option<Vec<u8>> = None;
    for line in header.split(|octet| *octet == b'\n') {
        match &mut value {
            Some(value) if line.starts_with(b" ") || line.starts_with(b"\t") => value.extend_from_slice(line),
            Some(_) => break,
            None => {
                let head = line.get(..name.len()).filter(|head| head.eq_ignore_ascii_case(name.as_bytes()));
                let rest = head.and_then(|_| line[name.len()..].trim_ascii_start().strip_prefix(b":"));
                value = rest.map(<[u8]>::to_vec);
            }
        }
    }
    value.map(|value| String::from_utf8_lossy(&value).replace('\r', " ").trim().to_owned())
}

/// What stands in angle brackets; a lone word without them is one identifier.
pub(crate) fn identifiers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, tail)) = rest.split_once('<') {
        let Some((id, tail)) = tail.split_once('>') else { break };
        let id: String = id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        if !id.is_empty() && id.len() <= MAX_ID {
            found.push(id);
        }
        rest = tail;
    }
    let lone = text.trim();
    if found.is_empty() && lone.contains('@') && lone.len() <= MAX_ID && !lone.contains([' ', '<', '>']) {
        found.push(lone.to_owned());
    }
    found
}

/// The base of a subject and whether it says "reply" or "forward", in the RFC's words or other languages'.
pub(crate) fn base_subject(subject: &str) -> (String, bool) {
    const PREFIXES: [&str; 13] =
        ["re", "fw", "fwd", "aw", "wg", "sv", "vs", "antw", "rv", "tr", "odp", "回复", "答复"];
    let subject: String = subject.chars().take(MAX_SUBJECT).collect();
    let collapsed = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let (mut rest, mut reply) = (collapsed.as_str(), false);
    for _ in 0..MAX_PREFIXES {
        let before = rest;
        let lower = rest.to_lowercase();
        if lower.ends_with("(fwd)") && lower.len() == rest.len() {
            rest = rest[..rest.len() - 5].trim_end();
            reply = true;
        }
        if lower.starts_with("[fwd:") && rest.ends_with(']') && rest.is_char_boundary(5) {
            rest = rest[5..rest.len() - 1].trim();
            reply = true;
        }
        if let Some((prefix, tail)) = rest.split_once([':', '：']) {
            let word = prefix.split('[').next().unwrap_or_default().trim().to_lowercase();
            let blob = prefix.find('[').is_none_or(|_| prefix.trim_end().ends_with(']'));
            if blob && PREFIXES.contains(&word.as_str()) {
                rest = tail.trim_start();
                reply = true;
            }
        }
        // A blob such as a list's name, unless nothing but blobs would be left.
        if let Some((_, tail)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            && !tail.trim().is_empty()
            && !before.to_lowercase().starts_with("[fwd:")
        {
            rest = tail.trim_start();
        }
        if rest == before {
            break;
        }
    }
    (rest.to_owned(), reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_core::{mail::Envelope, time::Timestamp};

    fn ties(id: &str, references: &str, subject: &str, from: &str, day: i64) -> Ties {
        let address = |email: &str| vec![Address { name: None, email: email.to_owned() }];
        let summary = Summary {
            internal_date: Some(Timestamp(day * 86_400_000)),
            envelope: Envelope {
                subject: Some(subject.to_owned()),
                from: address(from),
                to: address("me@x.example"),
                ..Envelope::default()
            },
            ..Summary::default()
        };
        let references =
            if references.is_empty() { String::new() } else { format!("References: {references}\r\n") };
        let header = format!("Message-ID: <{id}>\r\n{references}\r\n");
        Ties::of(&summary, header.as_bytes(), "Me@x.example")
    }

    #[test]
    fn references_bridge_a_missing_middle_and_subjects_join_only_replies() {
        let root = ties("a@x", "", "Hello", "bob@x.example", 0);
        let third = ties("c@x", "<a@x>\r\n <b@x>", "Re: Hello", "eve@x.example", 2);
        let fourth = ties("d@x", "<b@x>", "Something else", "eve@x.example", 3);
        let orphan = ties("e@x", "", "RE: [list] hello", "bob@x.example", 20);
        let late = ties("f@x", "", "Re: Hello", "bob@x.example", 90);
        let mere = ties("g@x", "", "Hello", "bob@x.example", 1);
        let stranger = ties("h@x", "", "Re: Hello", "zoe@x.example", 1);
        let all = [root, third, fourth, orphan, late, mere, stranger];
        let expected = [true, true, true, true, false, true, false];
        // "Hello" without "Re:" joins only through the orphan, which could answer either.
        assert_eq!(members(&all), expected);
        for first in 1..4 {
            let mut turned = all.to_vec();
            turned.swap(0, first);
            assert_eq!(members(&turned).iter().filter(|inside| **inside).count(), 5, "from {first}");
        }
        let without = [all[0].clone(), all[5].clone()];
        assert_eq!(members(&without), [true, false]);
    }

    #[test]
    fn subjects_lose_what_clients_put_before_and_behind() {
        for (subject, base, reply) in [
            ("Hello", "Hello", false),
            ("Re: Fwd:  Hello   there (fwd)", "Hello there", true),
            ("AW: [team] Re[2]: Plan", "Plan", true),
            ("[Fwd: Hello]", "Hello", true),
            ("[only] ", "[only]", false),
            ("Re:", "", true),
            ("Report: numbers", "Report: numbers", false),
            ("答复：你好", "你好", true),
            ("[[[[", "[[[[", false),
        ] {
            assert_eq!(base_subject(subject), (base.to_owned(), reply), "{subject}");
        }
    }

    #[test]
    fn ten_thousand_references_are_the_root_and_the_last_ones() {
        let many: Vec<_> = (0..10_000).map(|number| format!("<{number}@x>")).collect();
        let ties = ties("z@x", &many.join("\r\n "), "x", "bob@x.example", 0);
        assert_eq!(ties.references.len(), MAX_REFERENCES);
        assert_eq!(ties.references[0], "0@x");
        assert_eq!(ties.references[MAX_REFERENCES - 1], "9999@x");
        assert_eq!(identifiers("plain@id"), ["plain@id"]);
        assert!(identifiers("<> <\r\n> said Bob on Monday").is_empty());
    }
}
