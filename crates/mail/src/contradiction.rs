//! Hits of a search held against what their summaries say: some servers answer every SEARCH with everything.
//!
//! A server may know more than a summary tells, and it may be more generous (other spellings of a letter, word stems,
//! days of its own zone). So only what cannot be true is a contradiction.

use crate::judge::judge;
use imapmcp_core::{
    mail::{Address, Criterion, Summary},
    time::Timestamp,
};
use imapmcp_mime::header::decoded;

/// Days are the server's, which may be 14 hours away from ours (RFC 9051 §6.4.4 disregards time and zone).
const ZONE: i64 = 14 * 3_600;
const DAY: i64 = 86_400;

/// How a server was asked.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// In the language in which texts are words, in any field that means the same.
    pub(crate) gmail: bool,
    /// Whether it was asked for more than this condition.
    pub(crate) loosely: &'a (dyn Fn(&Criterion) -> bool + Sync),
}

/// Whether a message cannot be what was searched for.
pub(crate) fn contradicts(criterion: &Criterion, summary: &Summary, asked: Asked<'_>) -> bool {
    holds(criterion, summary, asked) == Some(false)
}

/// Whether a hit holds; `None` where a server may see it either way.
fn holds(criterion: &Criterion, summary: &Summary, asked: Asked<'_>) -> Option<bool> {
    match criterion {
        Criterion::And(all) => {
            let each: Vec<_> = all.iter().map(|one| holds(one, summary, asked)).collect();
            if each.contains(&Some(false)) {
                Some(false)
            } else {
                each.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
            }
        }
        Criterion::Or(a, b) => match (holds(a, summary, asked), holds(b, summary, asked)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        whole if !matches!(whole, Criterion::Or(..)) && (asked.loosely)(whole) => None,
        Criterion::Not(one) => holds(one, summary, asked).map(|holds| !holds),
        Criterion::From(_)
        | Criterion::To(_)
        | Criterion::Cc(_)
        | Criterion::Bcc(_)
        | Criterion::Subject(_)
            if asked.gmail =>
        {
            // Gmail's terms know aliases, lists and stems.
            judge(criterion, summary).filter(|holds| *holds)
        }
        leaf => shows(leaf, summary),
    }
}

/// What a summary shows of a single condition.
fn shows(criterion: &Criterion, summary: &Summary) -> Option<bool> {
    let envelope = &summary.envelope;
    match criterion {
        Criterion::From(text) => people(&envelope.from, text),
        Criterion::To(text) => people(&envelope.to, text),
        Criterion::Cc(text) => people(&envelope.cc, text),
        // nobody but the server may know of it
        Criterion::Bcc(text) => people(&envelope.bcc, text).filter(|holds| *holds),
        Criterion::Subject(text) => words(envelope.subject.as_deref().unwrap_or_default(), text, true),
        Criterion::Header(name, text) if name.eq_ignore_ascii_case("Message-ID") => {
            Some(identifier(envelope.message_id.as_deref(), text))
        }
        Criterion::Header(name, text) if name.eq_ignore_ascii_case("In-Reply-To") => {
            Some(identifier(envelope.in_reply_to.as_deref(), text))
        }
        Criterion::Since(day) => dated(summary, *day, |at, day| match at {
            _ if at < day - ZONE => Some(false),
            _ if at >= day + ZONE => Some(true),
            _ => None,
        }),
        Criterion::Before(day) => dated(summary, *day, |at, day| match at {
            _ if at >= day + ZONE => Some(false),
            _ if at < day - ZONE => Some(true),
            _ => None,
        }),
        // Some count line ends once.
        Criterion::Larger(octets) => sized(summary.size, u64::from(*octets), |size, limit| size > limit),
        Criterion::Smaller(octets) => sized(summary.size, u64::from(*octets), |size, limit| size < limit),
        Criterion::Unseen
        | Criterion::Seen
        | Criterion::Flagged
        | Criterion::Answered
        | Criterion::Draft
        | Criterion::Keyword(_) => judge(criterion, summary),
        // What has parts may have a file by the server's own rule. The last three are no single conditions.
        Criterion::HasAttachment
        | Criterion::Filename(_)
        | Criterion::Label(_)
        | Criterion::Body(_)
        | Criterion::Text(_)
        | Criterion::Header(..)
        | Criterion::And(_)
        | Criterion::Or(..)
        | Criterion::Not(_) => None,
    }
}

/// Whether a hit could be held against all of this.
pub(crate) fn is_checkable(criterion: &Criterion, gmail: bool) -> bool {
    match criterion {
        Criterion::And(all) => all.iter().all(|one| is_checkable(one, gmail)),
        Criterion::Or(a, b) => is_checkable(a, gmail) && is_checkable(b, gmail),
        Criterion::Not(one) => is_checkable(one, gmail),
        Criterion::Header(name, _) => {
            ["Message-ID", "In-Reply-To"].iter().any(|own| name.eq_ignore_ascii_case(own))
        }
        Criterion::Body(_) | Criterion::Text(_) | Criterion::Bcc(_) => false,
        Criterion::From(_) | Criterion::To(_) | Criterion::Cc(_) | Criterion::Subject(_) => !gmail,
        _ => true,
    }
}

fn identifier(field: Option<&str>, text: &str) -> bool {
    field.is_some_and(|field| field.to_lowercase().contains(&text.trim().to_lowercase()))
}

fn dated(summary: &Summary, day: Timestamp, holds: impl Fn(i64, i64) -> Option<bool>) -> Option<bool> {
    holds(summary.internal_date?.seconds(), day.seconds().div_euclid(DAY) * DAY)
}

fn sized(size: u64, limit: u64, holds: impl Fn(u64, u64) -> bool) -> Option<bool> {
    let margin = limit / 8 + 1_024;
    let (low, exact, high) = (
        holds(size, limit.saturating_sub(margin)),
        holds(size, limit),
        holds(size, limit.saturating_add(margin)),
    );
    (low == exact && exact == high).then_some(exact)
}

/// Names and addresses. Groups are no addresses here, and a server finds their names.
fn people(list: &[Address], text: &str) -> Option<bool> {
    if list.is_empty() {
        return None;
    }
    let each = list.iter().map(|one| format!("{} <{}>", one.name.as_deref().unwrap_or_default(), one.email));
    words(&each.collect::<Vec<_>>().join(", "), text, false)
}

/// Whether a field has these words: for certain as they stand, perhaps in another order or spelling, and certainly not
/// where one of them is missing. Of `stems` the beginning is enough.
fn words(field: &str, text: &str, stems: bool) -> Option<bool> {
    if is_obscure(field) {
        return None;
    }
    let (field, text) = (fold(&decoded(field)), fold(&decoded(text)));
    if field.contains(text.trim()) {
        return Some(true);
    }
    let has = |word: &str| {
        let enough = word.chars().count().saturating_sub(3).max(4);
        let stem: String = word.chars().take(enough).collect();
        field.contains(if stems { &stem } else { word })
    };
    let each = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let missing = each.clone().any(|word| !has(word));
    // Signs alone are no words.
    if missing || each.count() == 0 { Some(false).filter(|_| missing) } else { None }
}

/// Whether what a field says cannot be read here as a server may read it: encoded words of other character sets, names of
/// hosts in their ASCII form.
fn is_obscure(field: &str) -> bool {
    let known = ["utf-8?", "us-ascii?", "iso-8859-1?"];
    let foreign = |word: &str| {
        let word = word.to_ascii_lowercase();
        !known.iter().any(|charset| word.starts_with(charset))
    };
    field.contains('\u{fffd}') || field.contains("xn--") || field.split("=?").skip(1).any(foreign)
}

/// Lower case, without the marks on Latin letters.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
            'æ' => folded.push_str("ae"),
            'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => folded.push('c'),
            'ď' | 'đ' | 'ð' => folded.push('d'),
            'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => folded.push('e'),
            'ĝ' | 'ğ' | 'ġ' | 'ģ' => folded.push('g'),
            'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => folded.push('i'),
            'ł' | 'ĺ' | 'ļ' | 'ľ' => folded.push('l'),
            'ñ' | 'ń' | 'ņ' | 'ň' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => folded.push('o'),
            'œ' => folded.push_str("oe"),
            'ŕ' | 'ŗ' | 'ř' => folded.push('r'),
            'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => folded.push('s'),
            'ß' => folded.push_str("ss"),
            'ţ' | 'ť' | 'ț' => folded.push('t'),
            'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ź' | 'ż' | 'ž' => folded.push('z'),
            '\u{300}'..='\u{36f}' => {}
            c if c.is_whitespace() => folded.push(' '),
            c => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_core::mail::{Envelope, Flag};

    fn message() -> Summary {
        let address =
            |name: &str, email: &str| Address { name: Some(name.to_owned()), email: email.to_owned() };
        Summary {
            internal_date: Timestamp::from_rfc3339("2026-11-20T12:00:00Z"),
            flags: vec!["\\Seen".to_owned()],
            size: 50_000,
            envelope: Envelope {
                subject: Some("=?utf-8?Q?Rechnungen_f=C3=BCr_M=C3=BCller?= and invoice".to_owned()),
                from: vec![address("Zoë Curie", "zoe@example.com")],
                to: vec![address("Bob", "bob@example.net")],
                message_id: Some("<a.1@example.com>".to_owned()),
                ..Envelope::default()
            },
            ..Summary::default()
        }
    }

    #[test]
    fn only_what_cannot_be_true_is_a_contradiction() {
        let day = |text: &str| Timestamp::from_rfc3339(text).unwrap();
        let subject = |text: &str| Criterion::Subject(text.to_owned());
        let id = |text: &str| Criterion::Header("Message-ID", text.to_owned());
        let possible = [
            subject("müller"),
            subject("MULLER"),
            subject("invoices"),
            subject("invoice Rechnung"),
            Criterion::From("Curie, Zoe".into()),
            Criterion::From("ample.com".into()),
            Criterion::Cc("anybody".into()),
            Criterion::Body("x".into()),
            Criterion::Seen,
            Criterion::Since(day("2026-11-21T00:00:00Z")),
            Criterion::Before(day("2026-11-20T00:00:00Z")),
            Criterion::Larger(51_000),
            id("<a.1@example.com>"),
            Criterion::Not(Box::new(Criterion::Body("x".into()))),
            Criterion::Not(Box::new(Criterion::Since(day("2026-11-20T00:00:00Z")))),
            Criterion::Or(Box::new(Criterion::Unseen), Box::new(Criterion::Text("x".into()))),
        ];
        let asked = |gmail| Asked { gmail, loosely: &|_| false };
        for criterion in possible {
            assert!(!contradicts(&criterion, &message(), asked(false)), "{criterion:?}");
        }
        let impossible = [
            subject("tulips"),
            subject("müller 日本"),
            Criterion::From("bob@example.com".into()),
            Criterion::To("zoe".into()),
            Criterion::Unseen,
            Criterion::Keyword(Flag::flagged()),
            Criterion::Since(day("2026-11-22T00:00:00Z")),
            Criterion::Before(day("2026-11-19T00:00:00Z")),
            Criterion::Larger(70_000),
            Criterion::Smaller(40_000),
            id("<a.2@example.com>"),
            Criterion::Not(Box::new(subject("für Müller"))),
            Criterion::And(vec![Criterion::Body("x".into()), Criterion::Unseen]),
            Criterion::Or(Box::new(Criterion::Unseen), Box::new(subject("tulips"))),
        ];
        for criterion in impossible {
            assert!(contradicts(&criterion, &message(), asked(false)), "{criterion:?}");
            let reads =
                matches!(&criterion, Criterion::And(all) if all.contains(&Criterion::Body("x".into())));
            assert_eq!(is_checkable(&criterion, false), !reads, "{criterion:?}");
        }
        assert!(!contradicts(&subject("tulips"), &message(), asked(true)), "Gmail's words are its own");
        let mut foreign = message();
        foreign.envelope.subject = Some("=?gb2312?B?xOO6ww==?=".to_owned());
        assert!(!contradicts(&subject("你好"), &foreign, asked(false)), "what cannot be read is not judged");
    }
}
