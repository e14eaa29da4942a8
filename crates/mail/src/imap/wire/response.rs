//! One framed response to typed data (RFC 9051 §7, RFC 4731, RFC 5819). Tolerant of odd spacing, unknown responses
//! and latin-1; what this crate relies on and cannot be read is [`Malformed`].

use super::{
    fetch::{self, Fetch},
    framing::Raw,
    sets::Set,
    tokens::{Tree, Value, Values, lossy},
};

/// Longest human text kept of a status response.
const MAX_TEXT: usize = 500;

/// The word of a status response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ok,
    No,
    Bad,
    Bye,
    Preauth,
}

/// A response code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Code {
    UidValidity(u32),
    /// UIDVALIDITY and UID (RFC 4315).
    AppendUid(u32, u32),
    /// UIDVALIDITY of the target, UIDs before and after (RFC 4315).
    CopyUid(u32, Set, Set),
    Capability(Vec<String>),
    /// How many messages a command may concern, and the lowest UID it came to (RFC 9738 §4).
    MessageLimit(u32, Option<u32>),
    /// Any other; its first word in upper case.
    Other(String),
}

/// OK, NO, BAD, BYE, PREAUTH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) kind: Kind,
    pub(crate) code: Option<Code>,
    /// Never shown to anybody: looked through for "too many".
    pub(crate) text: String,
}

/// One LIST response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListEntry {
    pub(crate) attributes: Vec<String>,
    pub(crate) delimiter: Option<char>,
    /// As on the wire.
    pub(crate) name: String,
}

/// A namespace: its prefix as on the wire, and its delimiter (RFC 2342 §5).
pub(crate) type Namespace = (String, Option<char>);

/// The NAMESPACE response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Namespaces {
    pub(crate) personal: Vec<Namespace>,
    /// Other users' and shared ones.
    pub(crate) foreign: Vec<Namespace>,
}

/// An untagged response, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    Status(Status),
    Capability(Vec<String>),
    Exists(u32),
    /// The sequence number of a message that is gone; those above it move down.
    Expunge(u32),
    Fetch(Box<Fetch>),
    Search(Vec<u32>),
    /// RFC 5256, in the order asked for.
    Sort(Vec<u32>),
    /// RFC 5256: the lists as they came.
    Thread(Vec<u8>),
    /// RFC 4731: what was asked for with ALL.
    Esearch(Set),
    List(Box<ListEntry>),
    /// RFC 3501 §6.3.9: a folder that is subscribed to, as on the wire.
    Subscribed(String),
    Namespace(Box<Namespaces>),
    MailboxStatus {
        name: String,
        messages: Option<u32>,
        unseen: Option<u32>,
        /// UIDNEXT.
        next: Option<u32>,
    },
    Other,
}

/// A whole response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Untagged(Data),
    Tagged(String, Status),
    Continue(Vec<u8>),
}

impl Line {
    /// Octets in memory, roughly, of what may be larger than it was on the wire; and how many of them describe a message.
    pub(crate) fn weight(&self) -> (usize, usize) {
        match self {
            Self::Untagged(Data::Fetch(fetch)) => {
                let (weight, description) = fetch.weight();
                (size_of::<Data>() + weight, description)
            }
            Self::Untagged(_) | Self::Tagged(..) | Self::Continue(_) => (0, 0),
        }
    }
}

/// The response is needed and cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads one response.
pub(crate) fn line(raw: &Raw) -> Result<Line, Malformed> {
    let octets = &raw.octets;
    if let Some(rest) = octets.strip_prefix(b"+") {
        return Ok(Line::Continue(rest.trim_ascii().to_vec()));
    }
    if let Some(rest) = octets.strip_prefix(b"* ") {
        return Ok(Line::Untagged(match status(rest) {
            Some(status) => Data::Status(status),
            None => untagged(raw)?,
        }));
    }
    if matches!(octets.trim_ascii(), b"" | b"*") {
        return Ok(Line::Untagged(Data::Other));
    }
    let space = memchr::memchr(b' ', octets).filter(|at| (1..64).contains(at)).ok_or(Malformed)?;
    let status = status(&octets[space + 1..]).ok_or(Malformed)?;
    Ok(Line::Tagged(lossy(&octets[..space]), status))
}

/// Reads what stands behind `* ` or a tag, if it is a status response.
pub(crate) fn status(octets: &[u8]) -> Option<Status> {
    let octets = octets.trim_ascii();
    let (word, rest) = octets.split_at(memchr::memchr(b' ', octets).unwrap_or(octets.len()));
    let kind = match word.to_ascii_uppercase().as_slice() {
        b"OK" => Kind::Ok,
        b"NO" => Kind::No,
        b"BAD" => Kind::Bad,
        b"BYE" => Kind::Bye,
        b"PREAUTH" => Kind::Preauth,
        _ => return None,
    };
    let rest = rest.trim_ascii_start();
    let inside = rest.strip_prefix(b"[").and_then(|rest| {
        let end = memchr::memmem::find(rest, b"] ").or_else(|| memchr::memrchr(b']', rest))?;
        Some((&rest[..end], &rest[end + 1..]))
    });
    let (code, text) = match inside {
        Some((inside, text)) => (code(&lossy(inside)), text.trim_ascii()),
        None => (None, rest),
    };
    Some(Status { kind, code, text: lossy(&text[..text.len().min(MAX_TEXT)]) })
}

fn code(text: &str) -> Option<Code> {
    let mut words = text.split_ascii_whitespace();
    let word = words.next()?.to_ascii_uppercase();
    let number = |word: Option<&str>| word.and_then(|word| word.parse().ok());
    let known = match word.as_str() {
        "UIDVALIDITY" => number(words.next()).map(Code::UidValidity),
        "APPENDUID" => match (number(words.next()), number(words.next())) {
            (Some(validity), Some(uid)) => Some(Code::AppendUid(validity, uid)),
            _ => None,
        },
        "COPYUID" => match (number(words.next()), words.next(), words.next()) {
            (Some(validity), Some(from), Some(to)) => {
                Some(Code::CopyUid(validity, Set::parse(from), Set::parse(to)))
            }
            _ => None,
        },
        "MESSAGELIMIT" => number(words.next()).map(|limit| Code::MessageLimit(limit, number(words.next()))),
        "CAPABILITY" => return Some(Code::Capability(words.map(str::to_ascii_uppercase).collect())),
        _ => None,
    };
    Some(known.unwrap_or_else(|| Code::Other(word.chars().take(64).collect())))
}

fn untagged(raw: &Raw) -> Result<Data, Malformed> {
    let octets = raw.octets[2..].trim_ascii_start();
    let end = octets.iter().position(u8::is_ascii_whitespace).unwrap_or(octets.len());
    let word = octets[..end].to_ascii_uppercase();
    if raw.cut && !octets.first().is_some_and(u8::is_ascii_digit) {
        return Err(Malformed);
    }
    // Only what is used is taken apart: of the rest not even the parentheses are counted.
    match word.as_slice() {
        b"SEARCH" => Ok(Data::Search(numbers(&octets[end..]))),
        b"SORT" => Ok(Data::Sort(numbers(&octets[end..]))),
        b"THREAD" => Ok(Data::Thread(octets[end..].to_vec())),
        b"LIST" | b"LSUB" | b"ESEARCH" | b"STATUS" | b"CAPABILITY" | b"NAMESPACE" => {
            let tree = Tree::read(raw, 2);
            // RFC 9051 §2.2.2: any response may come at any time, and what cannot be read of it costs only itself
            if tree.is_cut() {
                return Err(Malformed);
            }
            if !tree.is_whole() {
                return Ok(Data::Other);
            }
            let mut values = tree.values();
            values.next();
            match word.as_slice() {
                b"LIST" => Ok(list(values).map_or(Data::Other, |entry| Data::List(Box::new(entry)))),
                b"LSUB" => Ok(list(values).map_or(Data::Other, |entry| Data::Subscribed(entry.name))),
                b"ESEARCH" => Ok(esearch(values)),
                b"NAMESPACE" => Ok(namespaces(values)),
                b"STATUS" => Ok(mailbox_status(values).unwrap_or(Data::Other)),
                _ => Ok(Data::Capability(
                    values.map(|value| lossy(value.bytes()).to_ascii_uppercase()).collect(),
                )),
            }
        }
        [b'0'..=b'9', ..] => Ok(numbered(raw)),
        _ => Ok(Data::Other),
    }
}

fn numbered(raw: &Raw) -> Data {
    let mut words = raw.octets[2..].split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let number = words.next().map(lossy).and_then(|word| word.parse().ok());
    let (Some(number), Some(word)) = (number, words.next()) else { return Data::Other };
    match word.to_ascii_uppercase().as_slice() {
        b"EXISTS" => Data::Exists(number),
        b"EXPUNGE" => Data::Expunge(number),
        word if word.starts_with(b"FETCH") => {
            let tree = Tree::read(raw, 2);
            let mut values = tree.values();
            let Some(list) = values.find(|value| value.is_list()) else { return Data::Other };
            let fetch = Fetch { cut: tree.is_cut(), ..fetch::read(number, list) };
            Data::Fetch(Box::new(fetch.bounded()))
        }
        _ => Data::Other,
    }
}

/// Numbers only: a million hits must not become a million tokens.
fn numbers(octets: &[u8]) -> Vec<u32> {
    let numbers = octets.split(u8::is_ascii_whitespace).take_while(|word| !word.starts_with(b"("));
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse().ok();
    numbers.filter_map(number).collect()
}

fn esearch(mut values: Values<'_>) -> Data {
    let all = values.find(|value| value.is("ALL")).and_then(|_| values.next());
    Data::Esearch(all.map(|set| Set::parse(&lossy(set.bytes()))).unwrap_or_default())
}

fn list(mut values: Values<'_>) -> Option<ListEntry> {
    let attributes = values.next().filter(|value| value.is_list() && !value.is_damaged())?;
    let delimiter = values.next()?.text().and_then(|text| text.chars().next());
    let name = values.next()?.text()?;
    let attributes = attributes.values().filter_map(Value::text).collect();
    Some(ListEntry { attributes, delimiter, name })
}

/// `(("" "/")) NIL (("Shared/" "/"))`: the account's own, other users', shared ones.
fn namespaces(values: Values<'_>) -> Data {
    let read = |list: Value<'_>| {
        let one = |value: Value<'_>| {
            let mut inside = value.values();
            let prefix = inside.next()?.text()?;
            Some((prefix, inside.next().and_then(Value::text).and_then(|text| text.chars().next())))
        };
        list.values().filter(|value| value.is_list()).filter_map(one).collect::<Vec<_>>()
    };
    let mut groups = values.map(read);
    let personal = groups.next().unwrap_or_default();
    Data::Namespace(Box::new(Namespaces { personal, foreign: groups.take(2).flatten().collect() }))
}

fn mailbox_status(mut values: Values<'_>) -> Option<Data> {
    let name = values.next()?.text()?;
    let mut items = values.next().filter(|value| value.is_list() && !value.is_damaged())?.values();
    let (mut messages, mut unseen, mut next) = (None, None, None);
    while let (Some(item), Some(value)) = (items.next(), items.next()) {
        if item.is("MESSAGES") {
            messages = value.number();
        } else if item.is("UNSEEN") {
            unseen = value.number();
        } else if item.is("UIDNEXT") {
            next = value.number();
        }
    }
    Some(Data::MailboxStatus { name, messages, unseen, next })
}

#[cfg(test)]
mod tests;
