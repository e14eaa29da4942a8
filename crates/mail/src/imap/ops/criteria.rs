//! A criterion as a server takes it (RFC 9051 `search-key`), or in Gmail's search language (X-GM-RAW).
//!
//! What a server cannot be asked is asked more loosely, and what it finds is judged on our side.

use crate::imap::wire::command::Command;
use imapmcp_core::{
    mail::{Criterion, MailError},
    time::Timestamp,
};

/// How a server wants to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// X-GM-EXT-1.
    pub(crate) gmail: bool,
    /// It refused CHARSET UTF-8.
    pub(crate) ascii_only: bool,
}

/// Whether any condition in it is so.
fn any(criterion: &Criterion, is: &impl Fn(&Criterion) -> bool) -> bool {
    match criterion {
        Criterion::And(all) => all.iter().any(|one| any(one, is)),
        Criterion::Or(a, b) => any(a, is) || any(b, is),
        Criterion::Not(one) => any(one, is),
        leaf => is(leaf),
    }
}

pub(crate) fn is_ascii(criterion: &Criterion) -> bool {
    !any(criterion, &|leaf| leaf.text().is_some_and(|text| !text.is_ascii()))
}

/// Whether what the server finds has to be judged again. A moment beside words of the text only bounds where words are
/// looked for, and a server's day is good enough.
pub(crate) fn is_approximate(criterion: &Criterion, dialect: Dialect) -> bool {
    match criterion {
        Criterion::And(all) => {
            let bounds_text = all.iter().any(|one| matches!(one, Criterion::Body(_) | Criterion::Text(_)));
            let judged = |one: &&Criterion| !(bounds_text && is_moment(one));
            all.iter().filter(judged).any(|one| is_approximate(one, dialect))
        }
        Criterion::Or(a, b) => is_approximate(a, dialect) || is_approximate(b, dialect),
        Criterion::Not(one) => is_approximate(one, dialect),
        Criterion::HasAttachment | Criterion::Filename(_) => !dialect.gmail,
        Criterion::Since(_) | Criterion::Before(_) => true,
        leaf => dialect.ascii_only && leaf.text().is_some_and(|text| !text.is_ascii()),
    }
}

fn is_moment(criterion: &Criterion) -> bool {
    matches!(criterion, Criterion::Since(_) | Criterion::Before(_))
}

/// The part of a criterion that has to be judged: the rest the server did.
pub(crate) fn judged(criterion: &Criterion, dialect: Dialect) -> Criterion {
    match criterion {
        Criterion::And(all) => {
            Criterion::And(all.iter().filter(|one| is_approximate(one, dialect)).cloned().collect())
        }
        whole => whole.clone(),
    }
}

/// Why this cannot be searched for, if it cannot: only summaries can be judged on our side.
pub(crate) fn unsayable(criterion: &Criterion, dialect: Dialect) -> Option<MailError> {
    if !dialect.gmail && any(criterion, &|leaf| matches!(leaf, Criterion::Label(_))) {
        return Some(NO_LABELS);
    }
    let beyond = |leaf: &Criterion| {
        let judgeable = matches!(
            leaf,
            Criterion::From(_)
                | Criterion::To(_)
                | Criterion::Cc(_)
                | Criterion::Subject(_)
                | Criterion::Filename(_)
                | Criterion::Label(_)
        );
        !judgeable && leaf.text().is_some_and(|text| !text.is_ascii())
    };
    (dialect.ascii_only && any(criterion, &beyond)).then_some(ASCII_ONLY)
}

/// Writes a whole search: keys side by side must all hold, and some servers refuse parentheses around them.
pub(crate) fn write_all(command: Command, criterion: &Criterion, dialect: Dialect) -> Command {
    match criterion {
        Criterion::And(all) if !(dialect.gmail && raw(criterion).is_some() && wants_raw(criterion)) => {
            let Some((first, rest)) = all.split_first() else { return command.raw("ALL") };
            rest.iter()
                .fold(write(command, first, dialect), |command, one| write(command.raw(" "), one, dialect))
        }
        whole => write(command, whole, dialect),
    }
}

/// Writes a criterion; its depth is bounded by `wire_text::criterion`.
fn write(command: Command, criterion: &Criterion, dialect: Dialect) -> Command {
    if let Some(raw) = raw(criterion).filter(|_| dialect.gmail && wants_raw(criterion)) {
        return command.raw("X-GM-RAW ").string(&raw);
    }
    match criterion {
        Criterion::And(all) => {
            let Some((first, rest)) = all.split_first() else { return command.raw("ALL") };
            let command = write(command.raw("("), first, dialect);
            rest.iter().fold(command, |command, one| write(command.raw(" "), one, dialect)).raw(")")
        }
        Criterion::Or(a, b) => write(write(command.raw("OR "), a, dialect).raw(" "), b, dialect),
        Criterion::Not(one) if is_moment(one) => match **one {
            Criterion::Since(moment) => before(command, moment),
            Criterion::Before(moment) => since(command, moment),
            _ => command.raw("ALL"),
        },
        // The opposite of more than what is meant would be less.
        Criterion::Not(one) if is_approximate(one, dialect) => command.raw("ALL"),
        Criterion::Not(one) => write(command.raw("NOT "), one, dialect),
        Criterion::From(text) => words(command, "FROM ", text, dialect),
        Criterion::To(text) => words(command, "TO ", text, dialect),
        Criterion::Cc(text) => words(command, "CC ", text, dialect),
        Criterion::Bcc(text) => words(command, "BCC ", text, dialect),
        Criterion::Subject(text) => words(command, "SUBJECT ", text, dialect),
        Criterion::Body(text) => command.raw("BODY ").string(text),
        Criterion::Text(text) => command.raw("TEXT ").string(text),
        Criterion::Header(name, text) => command.raw("HEADER ").string(name).raw(" ").string(text),
        Criterion::Since(moment) => since(command, *moment),
        Criterion::Before(moment) => before(command, *moment),
        Criterion::Unseen => command.raw("UNSEEN"),
        Criterion::Seen => command.raw("SEEN"),
        Criterion::Flagged => command.raw("FLAGGED"),
        Criterion::Answered => command.raw("ANSWERED"),
        Criterion::Draft => command.raw("DRAFT"),
        Criterion::Keyword(flag) => match flag.as_str().to_ascii_lowercase().as_str() {
            "\\seen" => command.raw("SEEN"),
            "\\flagged" => command.raw("FLAGGED"),
            "\\answered" => command.raw("ANSWERED"),
            "\\draft" => command.raw("DRAFT"),
            "\\deleted" => command.raw("DELETED"),
            _ => command.raw("KEYWORD ").keyword(flag),
        },
        Criterion::HasAttachment => command.raw("HEADER \"Content-Type\" \"multipart/mixed\""),
        // a file is in a multipart, or is the message
        Criterion::Filename(_) => command
            .raw("OR HEADER \"Content-Type\" \"multipart\" ")
            .raw("OR HEADER \"Content-Type\" \"name\" HEADER \"Content-Disposition\" \"filename\""),
        Criterion::Label(label) => self::label(command, label),
        Criterion::Larger(octets) => command.raw("LARGER ").number(*octets),
        Criterion::Smaller(octets) => command.raw("SMALLER ").number(*octets),
    }
}

/// A server's days are of a zone that nobody names, which may be 14 hours away (RFC 9051 §6.4.4): a day more is asked for.
const DAY: i64 = 86_400;

fn since(command: Command, moment: Timestamp) -> Command {
    command.raw("SINCE ").date(day(moment.plus_seconds(-DAY)))
}

fn before(command: Command, moment: Timestamp) -> Command {
    command.raw("BEFORE ").date(day(moment.plus_seconds(2 * DAY - 1)))
}

/// A day that servers know: some refuse the year 0.
fn day(at: Timestamp) -> Timestamp {
    Timestamp(at.0.clamp(EARLIEST, LATEST))
}

/// 1 January 1900 and 30 December 9999, in milliseconds.
const EARLIEST: i64 = -2_208_988_800_000;
const LATEST: i64 = 253_402_128_000_000;

/// Those messages whose moment is not told by a server's days.
pub(crate) fn around(command: Command, moment: Timestamp) -> Command {
    before(since(command, moment).raw(" "), moment.plus_seconds(1))
}

/// The moments between which a message must have come, as far as they hold for every hit: from the first, before the second.
pub(crate) fn period(criterion: &Criterion) -> (Option<Timestamp>, Option<Timestamp>) {
    let later = |one: Option<Timestamp>, other: Option<Timestamp>| one.max(other);
    let earlier = |one: Option<Timestamp>, other: Option<Timestamp>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    match criterion {
        Criterion::Since(moment) => (Some(*moment), None),
        Criterion::Before(moment) => (None, Some(*moment)),
        Criterion::Not(one) => match **one {
            Criterion::Since(moment) => (None, Some(moment)),
            Criterion::Before(moment) => (Some(moment), None),
            _ => (None, None),
        },
        Criterion::And(all) => all
            .iter()
            .map(period)
            .fold((None, None), |period, one| (later(period.0, one.0), earlier(period.1, one.1))),
        _ => (None, None),
    }
}

/// What remains to be judged once [`period`] holds.
pub(crate) fn beside_period(criterion: &Criterion) -> Criterion {
    match criterion {
        Criterion::And(all) => Criterion::And(all.iter().map(beside_period).collect()),
        Criterion::Not(one) if is_moment(one) => Criterion::And(vec![]),
        moment if is_moment(moment) => Criterion::And(vec![]),
        other => other.clone(),
    }
}

/// A label, the system's by the names they have on the wire.
fn label(command: Command, label: &str) -> Command {
    const SYSTEM: [&str; 7] = ["Inbox", "Sent", "Important", "Starred", "Draft", "Spam", "Trash"];
    let plain = label.trim_start_matches('\\');
    let system = SYSTEM.iter().find(|system| {
        system.eq_ignore_ascii_case(plain) || plain.eq_ignore_ascii_case(&format!("{system}s"))
    });
    let command = command.raw("X-GM-LABELS ");
    match system {
        Some(system) => command.string(&format!("\\{system}")),
        None => command.folder(label),
    }
}

/// A text key; where only ASCII can be said, its ASCII pieces.
fn words(command: Command, key: &'static str, text: &str, dialect: Dialect) -> Command {
    if !dialect.ascii_only || text.is_ascii() {
        return command.raw(key).string(text);
    }
    let pieces: Vec<_> =
        text.split(|c: char| !c.is_ascii()).filter(|piece| !piece.trim().is_empty()).take(10).collect();
    let Some((first, rest)) = pieces.split_first() else { return command.raw("ALL") };
    let command = command.raw("(").raw(key).string(first);
    rest.iter().fold(command, |command, piece| command.raw(" ").raw(key).string(piece)).raw(")")
}

/// Whether Gmail's language says this better than SEARCH, which knows whole words there, and no attachments.
fn wants_raw(criterion: &Criterion) -> bool {
    any(criterion, &|leaf| {
        matches!(
            leaf,
            Criterion::From(_)
                | Criterion::To(_)
                | Criterion::Cc(_)
                | Criterion::Bcc(_)
                | Criterion::Subject(_)
                | Criterion::Text(_)
                | Criterion::HasAttachment
                | Criterion::Filename(_)
        )
    })
}

/// A criterion in Gmail's language, if it can be said there and means the same.
fn raw(criterion: &Criterion) -> Option<String> {
    match criterion {
        Criterion::And(all) => {
            let all: Vec<_> = all.iter().map(raw).collect::<Option<_>>()?;
            (!all.is_empty()).then(|| format!("({})", all.join(" ")))
        }
        Criterion::Or(a, b) => Some(format!("({} OR {})", raw(a)?, raw(b)?)),
        Criterion::Not(one) => Some(format!("-{}", raw(one)?)),
        Criterion::From(text) => term("from:", text),
        Criterion::To(text) => term("to:", text),
        Criterion::Cc(text) => term("cc:", text),
        Criterion::Bcc(text) => term("bcc:", text),
        Criterion::Subject(text) => term("subject:", text),
        Criterion::Text(text) => term("", text),
        Criterion::Filename(text) => term("filename:", text),
        Criterion::HasAttachment => Some("has:attachment".to_owned()),
        Criterion::Seen => Some("is:read".to_owned()),
        Criterion::Unseen => Some("is:unread".to_owned()),
        Criterion::Flagged => Some("is:starred".to_owned()),
        _ => None,
    }
}

/// A quoted term. Gmail has no way to say a quote inside of quotes.
fn term(key: &str, text: &str) -> Option<String> {
    let sayable = !text.trim().is_empty() && !text.contains(['"', '\\']) && !text.contains(char::is_control);
    sayable.then(|| format!("{key}\"{text}\""))
}

/// Whether the server may take long: no server keeps an index of bodies for certain.
pub(crate) fn reads_bodies(criterion: &Criterion) -> bool {
    match criterion {
        Criterion::And(all) => all.iter().any(reads_bodies),
        Criterion::Or(a, b) => reads_bodies(a) || reads_bodies(b),
        Criterion::Not(one) => reads_bodies(one),
        Criterion::Body(_) | Criterion::Text(_) => true,
        _ => false,
    }
}

/// Labels are Gmail's.
const NO_LABELS: MailError =
    MailError::Invalid("this mail server has no labels: name a folder with in:, or a keyword with keyword:");

/// Whether the server has to look into messages, beyond their flags, dates and sizes.
pub(crate) fn reads_headers(criterion: &Criterion) -> bool {
    any(criterion, &|leaf| leaf.text().is_some() || matches!(leaf, Criterion::HasAttachment))
}

/// The server takes only ASCII, and this cannot be found another way.
const ASCII_ONLY: MailError = MailError::Invalid(
    "this mail server can only search texts for ASCII words: leave out those with other letters, or search by sender or \
     subject",
);

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Dialect = Dialect { gmail: false, ascii_only: false };
    const GMAIL: Dialect = Dialect { gmail: true, ascii_only: false };
    const ASCII: Dialect = Dialect { gmail: false, ascii_only: true };

    fn not(one: Criterion) -> Criterion {
        Criterion::Not(Box::new(one))
    }

    #[test]
    fn a_criterion_is_spelled_by_the_grammar() {
        let criterion = Criterion::And(vec![
            Criterion::Or(Box::new(Criterion::From("a\"b".into())), Box::new(Criterion::Unseen)),
            not(Criterion::Header("List-Id", "x".into())),
            Criterion::Subject("ü".into()),
        ]);
        let command = write_all(Command::new(""), &criterion, PLAIN);
        assert_eq!(command.texts, [r#"OR FROM "a\"b" UNSEEN NOT HEADER "List-Id" "x" SUBJECT "#, ""]);
        let inner = not(criterion.clone());
        assert_eq!(write_all(Command::new(""), &inner, PLAIN).texts[1], ")", "inside they are needed");
        assert_eq!(command.literals, [crate::imap::wire::command::Literal::Octets("ü".into())]);
        assert!(!is_ascii(&criterion) && !is_approximate(&criterion, PLAIN));
        assert_eq!(write(Command::new(""), &Criterion::And(vec![]), PLAIN).texts, ["ALL"]);
    }

    #[test]
    fn gmail_is_asked_in_its_own_language_and_no_quote_ends_a_term() {
        let inside =
            Criterion::Not(Box::new(Criterion::And(vec![Criterion::HasAttachment, Criterion::Unseen])));
        let or = |from: &str| Criterion::Or(Box::new(Criterion::From(from.into())), Box::new(inside.clone()));
        let raw = r#"(from:\"a) OR {b}\" OR -(has:attachment is:unread))"#;
        let said = |criterion: &Criterion| write(Command::new(""), criterion, GMAIL).texts.join("|");
        assert_eq!(said(&or("a) OR {b}")), format!("X-GM-RAW \"{raw}\""));
        // What would end the term stays a string of SEARCH.
        let evil = r#"OR FROM "a\" OR in:anywhere \"" X-GM-RAW "-(has:attachment is:unread)""#;
        assert_eq!(said(&or("a\" OR in:anywhere \"")), evil);
        let mixed = Criterion::And(vec![Criterion::Larger(5), Criterion::Subject("x".into())]);
        assert_eq!(write(Command::new(""), &mixed, GMAIL).texts, [r#"(LARGER 5 X-GM-RAW "subject:\"x\"")"#]);
        assert_eq!(
            write(Command::new(""), &Criterion::Subject("\"".into()), GMAIL).texts,
            [r#"SUBJECT "\"""#]
        );
    }

    #[test]
    fn what_cannot_be_asked_is_asked_more_loosely() {
        let criterion = Criterion::And(vec![Criterion::Subject("Grüße aus Köln".into()), Criterion::Seen]);
        let command = write(Command::new(""), &criterion, ASCII);
        assert_eq!(command.texts, [r#"((SUBJECT "Gr" SUBJECT "e aus K" SUBJECT "ln") SEEN)"#]);
        assert_eq!(
            judged(&criterion, ASCII),
            Criterion::And(vec![Criterion::Subject("Grüße aus Köln".into())])
        );
        assert_eq!(write(Command::new(""), &not(Criterion::HasAttachment), PLAIN).texts, ["ALL"]);
        assert_eq!(write(Command::new(""), &Criterion::From("日本".into()), ASCII).texts, ["ALL"]);
        assert!(unsayable(&Criterion::Body("ü".into()), ASCII).is_some());
        assert!(unsayable(&criterion, ASCII).is_none());
    }
}
