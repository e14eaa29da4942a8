//! Messages as JSON.

use crate::{cursor, error::ToolError, reference, snippets::Snippets};
use imapmcp_core::{
    account::Account,
    mail::{Address, Listing, Omitted, Summary},
    time::Timestamp,
};
use imapmcp_mime::{attachment, budget::OCTETS_PER_TOKEN, header};
use serde_json::{Map, Value, json};

/// `Name <a@b>` in one line, shortened.
pub(crate) fn person(address: &Address) -> String {
    named(header::name(address).as_deref(), address)
}

fn named(name: Option<&str>, address: &Address) -> String {
    let email = shortened(header::one_line(&address.email), 100);
    match name {
        Some(name) => [&shorten(name, 60), " <", &email, ">"].concat(),
        None => email,
    }
}

/// `{name?, email}`.
pub(crate) fn address(address: &Address) -> Value {
    let mut value = Map::new();
    if let Some(name) = header::name(address) {
        value.insert("name".to_owned(), json!(shorten(&name, 200)));
    }
    value.insert("email".to_owned(), json!(shorten(&header::one_line(&address.email), 254)));
    Value::Object(value)
}

/// At most `limit` addresses.
pub(crate) fn addresses(list: &[Address], limit: usize) -> Value {
    Value::Array(list.iter().take(limit).map(address).collect())
}

/// Cuts after `limit` characters, with an ellipsis.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    shortened(text.to_owned(), limit)
}

/// As [`shorten`], of a text that is not needed any more.
fn shortened(mut text: String, limit: usize) -> String {
    // as many octets cannot be more characters
    if text.len() > limit && text.chars().count() > limit {
        let end = text.char_indices().nth(limit.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A message's flags but `\Recent`, which tells which session saw it first and is gone in RFC 9051.
pub(crate) fn flags(message: &Summary) -> Vec<String> {
    let told = message.flags.iter().filter(|flag| !flag.eq_ignore_ascii_case("\\Recent"));
    told.take(MAX_FLAGS).map(|flag| shorten(flag, 64)).collect()
}

/// When a message arrived, as RFC 3339.
pub(crate) fn date(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at.to_rfc3339()))
}

/// How much a line of a list says. A list is context of the whole conversation, so a long one is told in fewer words:
/// 160 octets a message (8 KB for 50), unless the caller sets a budget of its own. A sender's address is always told, for a
/// name is what its bearer chose, and subjects are whole up to [`SUBJECT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// Everything known without opening the message.
    Full,
    /// Without size, recipients and `\Seen` (which `unread` tells already).
    Brief,
    /// Without the uid: the id ends in it.
    Bare,
    /// Names of senders cut short, long subjects too.
    Short,
    /// Addresses of senders without their names, and no flags.
    Addresses,
}

const DETAILS: [Detail; 5] = [Detail::Full, Detail::Brief, Detail::Bare, Detail::Short, Detail::Addresses];

/// Octets of a line that lists aim at.
const LINE: usize = 160;
/// Characters of a subject that every list shows.
const SUBJECT: usize = 100;
/// Characters of a subject that a list without an aim shows.
const LONG_SUBJECT: usize = 200;
/// Characters of a name in a short line.
const SHORT_NAME: usize = 24;
/// A list this short need not save.
const SHORT_LIST: usize = 2000;

/// Flags of a message shown at most.
const MAX_FLAGS: usize = 20;

/// Messages named at most that cannot be shown.
const MAX_OMITTED: usize = 20;

/// One line of a list, decoded once.
pub(crate) struct Line {
    id: String,
    uid: u32,
    date: Option<String>,
    /// Without seconds, which say nothing in a list.
    minute: Option<String>,
    from: String,
    /// The same with its name cut short.
    short_from: String,
    /// The sender's address alone.
    address: String,
    to: Vec<String>,
    subject: String,
    /// The subject cut short, where it is longer than every list shows.
    short_subject: Option<String>,
    flags: Vec<String>,
    seen: bool,
    size: u64,
    has_attachments: bool,
    /// Octets of what the caller asked for besides.
    asked: usize,
    /// Members that only some lists have.
    more: Vec<(&'static str, String, Detail)>,
}

/// A member's value, as it will be written.
enum Member<'a> {
    Text(&'a str),
    Texts(&'a [String]),
    Number(u64),
    Yes,
    Null,
}

impl Member<'_> {
    fn value(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Texts(texts) => json!(texts),
            Self::Number(number) => json!(number),
            Self::Yes => json!(true),
            Self::Null => Value::Null,
        }
    }

    /// Octets of it as JSON.
    fn octets(&self) -> usize {
        match self {
            Self::Text(text) => quoted(text),
            Self::Texts(texts) => 1 + texts.iter().map(|text| quoted(text) + 1).sum::<usize>().max(1),
            Self::Number(number) => number.checked_ilog10().unwrap_or(0) as usize + 1,
            Self::Yes | Self::Null => 4,
        }
    }
}

/// Octets of a text as a JSON string.
pub(crate) fn quoted(text: &str) -> usize {
    let escaped = |octet: u8| match octet {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 1,
        0..32 => 5,
        _ => 0,
    };
    // most stretches have nothing to escape, which is seen of many octets at once
    let is_odd = |octet: &u8| *octet < 32 || *octet == b'"' || *octet == b'\\';
    let stretches = text.as_bytes().chunks(64);
    let odd = stretches.filter(|stretch| stretch.iter().fold(false, |odd, octet| odd | is_odd(octet)));
    2 + text.len() + odd.flatten().map(|octet| escaped(*octet)).sum::<usize>()
}

impl Line {
    /// Of a message in a folder of an account.
    pub(crate) fn new(account: &Account, folder: &str, uid_validity: u32, message: &Summary) -> Self {
        let envelope = &message.envelope;
        let from = envelope.from.first();
        let name = from.and_then(header::name);
        let to_me_alone =
            matches!(envelope.to.as_slice(), [only] if only.email.eq_ignore_ascii_case(&account.email));
        let mut to = Vec::new();
        if !to_me_alone {
            to.extend(envelope.to.iter().take(3).map(person));
            if envelope.to.len() > 3 {
                to.push(format!("+{}", envelope.to.len() - 3));
            }
        }
        let date = message.internal_date.map(Timestamp::to_rfc3339);
        let short_name = name.as_deref().map(|name| shorten(name, SHORT_NAME));
        let subject =
            shortened(envelope.subject.as_deref().map(header::text).unwrap_or_default(), LONG_SUBJECT);
        let flags = flags(message);
        Self {
            id: reference::encode(&account.id, folder, uid_validity, message.uid),
            uid: message.uid,
            minute: date.as_ref().map(|date| [date.get(..16).unwrap_or(date), "Z"].concat()),
            date,
            from: from.map(|from| named(name.as_deref(), from)).unwrap_or_default(),
            short_from: from.map(|from| named(short_name.as_deref(), from)).unwrap_or_default(),
            address: from.map(|from| named(None, from)).unwrap_or_default(),
            to,
            short_subject: (subject.chars().count() > SUBJECT).then(|| shorten(&subject, SUBJECT)),
            subject,
            seen: flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Seen")),
            flags,
            size: message.size,
            has_attachments: attachment::any(&message.parts),
            asked: 0,
            more: Vec::new(),
        }
    }

    /// With a further member.
    pub(crate) fn with(mut self, name: &'static str, text: String) -> Self {
        self.more.push((name, text, Detail::Addresses));
        self
    }

    /// With the first words of the message, which the caller asked for: no line does without.
    pub(crate) fn with_snippet(self, words: Option<&str>) -> Self {
        let Some(words) = words else { return self };
        let asked = "snippet".len() + 4 + quoted(words);
        Self { asked, ..self }.with("snippet", words.to_owned())
    }

    /// With a further member that shorter lines than this do without.
    pub(crate) fn until(mut self, last: Detail, name: &'static str, text: String) -> Self {
        self.more.push((name, text, last));
        self
    }

    /// Members that say nothing (no flags, no attachment) are left out.
    fn each(&self, detail: Detail, mut put: impl FnMut(&'static str, Member<'_>)) {
        put("id", Member::Text(&self.id));
        if detail < Detail::Bare {
            put("uid", Member::Number(self.uid.into()));
        }
        match if detail == Detail::Full { &self.date } else { &self.minute } {
            None => put("date", Member::Null),
            Some(date) => put("date", Member::Text(date)),
        }
        put(
            "from",
            Member::Text(match detail {
                Detail::Full | Detail::Brief | Detail::Bare => &self.from,
                Detail::Short => &self.short_from,
                Detail::Addresses => &self.address,
            }),
        );
        if detail == Detail::Full && !self.to.is_empty() {
            put("to", Member::Texts(&self.to));
        }
        let short_subject = self.short_subject.as_ref().filter(|_| detail >= Detail::Short);
        put("subject", Member::Text(short_subject.unwrap_or(&self.subject)));
        if !self.seen {
            put("unread", Member::Yes);
        }
        let only_seen = self.seen && self.flags.len() == 1;
        let tells = detail == Detail::Full || (!only_seen && detail < Detail::Addresses);
        if !self.flags.is_empty() && tells {
            put("flags", Member::Texts(&self.flags));
        }
        if detail == Detail::Full {
            put("size", Member::Number(self.size));
        }
        if self.has_attachments {
            put("has_attachments", Member::Yes);
        }
        for (name, text, _) in self.more.iter().filter(|(.., last)| detail <= *last) {
            put(name, Member::Text(text));
        }
    }

    /// As JSON.
    pub(crate) fn members(&self, detail: Detail) -> Map<String, Value> {
        let mut members = Map::new();
        self.each(detail, |name, member| {
            members.insert(name.to_owned(), member.value());
        });
        members
    }

    /// Octets of it as JSON.
    fn octets(&self, detail: Detail) -> usize {
        // braces, less the comma that the last member does not have
        let mut octets = 1;
        self.each(detail, |name, member| octets += name.len() + 4 + member.octets());
        octets
    }
}

/// Lines of a list in as much detail as the budget allows; `Err(n)` when only the first `n` fit even in short.
/// `max_octets` is the caller's hard limit, and `asked` says that the caller set it.
pub(crate) fn lines(lines: &[Line], max_octets: usize, asked: bool) -> Result<Vec<Value>, usize> {
    let besides: usize = lines.iter().map(|line| line.asked).sum();
    let aim = if asked { max_octets } else { max_octets.min(SHORT_LIST.max(lines.len() * LINE) + besides) };
    let mut fitting = 0;
    for detail in DETAILS {
        let limit = if detail == Detail::Addresses { max_octets } else { aim };
        let mut octets = 0;
        fitting = lines
            .iter()
            .take_while(|line| {
                octets += line.octets(detail) + 1;
                octets <= limit
            })
            .count();
        if fitting == lines.len() {
            return Ok(lines.iter().map(|line| Value::Object(line.members(detail))).collect());
        }
    }
    Err(fitting)
}

/// A listing as a result, its snippets as of place 0; `Err(n)` when only the first `n` messages fit into the budget.
pub(crate) fn listing(
    account: &Account,
    folder: &str,
    found: &Listing,
    snippets: &Snippets,
    mark: &str,
    max_tokens: usize,
    asked: bool,
) -> Result<Value, usize> {
    let gaps = omitted(account, folder, found.uid_validity, &found.omitted);
    let told = gaps.as_ref().map_or(0, |gaps| gaps.to_string().len());
    let frame = 150 + json!(folder).to_string().len() + told;
    let room = (max_tokens * OCTETS_PER_TOKEN).saturating_sub(frame);
    let line = |message: &Summary| {
        let line = Line::new(account, folder, found.uid_validity, message);
        line.with_snippet(snippets.of(0, message.uid))
    };
    let messages = lines(&found.messages.iter().map(line).collect::<Vec<_>>(), room, asked)?;
    let mut value = json!({ "folder": folder, "total": found.total, "messages": messages });
    if let Some(next) = found.next {
        value["next_cursor"] = json!(cursor::write(mark, next));
    }
    if !found.exact {
        value["total_exact"] = json!(false);
    }
    if found.unchecked > 0 {
        value["unchecked"] = json!(found.unchecked);
    }
    if let Some(gaps) = gaps {
        value["omitted"] = gaps;
    }
    Ok(value)
}

/// Messages of a folder that the server could not, or should not, describe: each with its code, and its id where the
/// server told one.
pub(crate) fn omitted(
    account: &Account,
    folder: &str,
    uid_validity: u32,
    omitted: &[Omitted],
) -> Option<Value> {
    let rows = omitted.iter().map(|one| {
        let mut row = json!({ "code": one.reason.code() });
        if let Some(uid) = one.uid {
            row["id"] = json!(reference::encode(&account.id, folder, uid_validity, uid));
            row["uid"] = json!(uid);
        }
        row
    });
    let rows: Vec<Value> = rows.take(MAX_OMITTED).collect();
    (!rows.is_empty()).then(|| json!({ "count": omitted.len(), "messages": rows }))
}

/// Members of [`listing`].
pub(crate) const LISTING: &[&str] = &["folder", "total", "messages"];

/// Refuses a budget that not even one message fits into.
pub(crate) fn at_least_one(fitting: usize) -> Result<u32, ToolError> {
    match u32::try_from(fitting) {
        Ok(0) | Err(_) => Err(ToolError::argument("max_tokens", "is too small for a single message", "6000")),
        Ok(fitting) => Ok(fitting),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_core::mail::Envelope;
    use proptest::prelude::*;

    #[test]
    fn what_only_the_server_knows_of_is_no_flag() {
        for (given, told) in [
            (&["\\Recent"][..], &[][..]),
            (&["\\recent", "\\Seen"], &["\\Seen"]),
            (&["\\RECENT", "\\Flagged", "$Recent"], &["\\Flagged", "$Recent"]),
        ] {
            let given = given.iter().map(|flag| (*flag).to_owned()).collect();
            let message = Summary { flags: given, ..Summary::default() };
            assert_eq!(flags(&message), told);
        }
    }

    proptest! {
        #[test]
        fn the_octets_of_a_line_are_counted_as_they_are_written(
            name in "\\PC{0,80}", subject in "(.|\n|\t){0,150}", size in any::<u64>(), seen in any::<bool>(),
        ) {
            let address = Address { name: Some(name), email: "a@b.example".to_owned() };
            let message = Summary {
                uid: 7,
                internal_date: Some(Timestamp(1_700_000_000_000)),
                flags: if seen { vec!["\\Seen".to_owned(), "$x".to_owned()] } else { Vec::new() },
                size,
                envelope: Envelope { from: vec![address.clone()], to: vec![address], subject: Some(subject), ..Envelope::default() },
                parts: Vec::new(),
            };
            let account = imapmcp_testkit::builders::account(&imapmcp_testkit::builders::user_id("u"), "Work");
            let line = Line::new(&account, "Folder", 3, &message)
                .with("account_id", "\"x\"".to_owned())
                .until(Detail::Brief, "account", "y".to_owned());
            for detail in DETAILS {
                prop_assert_eq!(line.octets(detail), Value::Object(line.members(detail)).to_string().len());
            }
        }
    }
}
