//! SEARCH keys, and Gmail's language behind X-GM-RAW, to criteria.

use super::wire::{Token, day};
use imapmcp_core::mail::{Criterion, Flag};
use std::{iter::Peekable, slice::Iter, str::Chars};

/// What is searched for: a criterion, or an identifier of Gmail's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sought {
    Criterion(Criterion),
    Thread(u64),
    Message(u64),
}

/// Reads all keys.
pub(super) fn keys(tokens: &[Token]) -> Sought {
    match tokens {
        [Token::Atom(key), id] if key == "X-GM-THRID" => Sought::Thread(id.text().parse().unwrap()),
        [Token::Atom(key), id] if key == "X-GM-MSGID" => Sought::Message(id.text().parse().unwrap()),
        tokens => {
            let (mut tokens, mut all) = (tokens.iter().peekable(), Vec::new());
            while tokens.peek().is_some() {
                all.push(key(&mut tokens));
            }
            Sought::Criterion(Criterion::And(all))
        }
    }
}

/// The same for a server whose days begin so many seconds after those of UTC.
pub(super) fn in_zone(criterion: Criterion, late: i64) -> Criterion {
    let inner = |one: Box<Criterion>| Box::new(in_zone(*one, late));
    match criterion {
        Criterion::And(all) => Criterion::And(all.into_iter().map(|one| in_zone(one, late)).collect()),
        Criterion::Or(a, b) => Criterion::Or(inner(a), inner(b)),
        Criterion::Not(one) => Criterion::Not(inner(one)),
        Criterion::Since(day) => Criterion::Since(day.plus_seconds(late)),
        Criterion::Before(day) => Criterion::Before(day.plus_seconds(late)),
        other => other,
    }
}

fn key(tokens: &mut Peekable<Iter<'_, Token>>) -> Criterion {
    let first = tokens.next().unwrap();
    if *first == Token::Open {
        let mut all = Vec::new();
        while **tokens.peek().unwrap() != Token::Close {
            all.push(key(tokens));
        }
        tokens.next();
        return Criterion::And(all);
    }
    let word = first.text().to_ascii_uppercase();
    let mut text = || tokens.next().unwrap().text();
    match word.as_str() {
        "ALL" => Criterion::And(vec![]),
        "SEEN" => Criterion::Seen,
        "UNSEEN" => Criterion::Unseen,
        "FLAGGED" => Criterion::Flagged,
        "ANSWERED" => Criterion::Answered,
        "DRAFT" => Criterion::Draft,
        "KEYWORD" => Criterion::Keyword(Flag::parse(&text()).unwrap()),
        "FROM" => Criterion::From(text()),
        "TO" => Criterion::To(text()),
        "CC" => Criterion::Cc(text()),
        "BCC" => Criterion::Bcc(text()),
        "SUBJECT" => Criterion::Subject(text()),
        "BODY" => Criterion::Body(text()),
        "TEXT" => Criterion::Text(text()),
        "LARGER" => Criterion::Larger(text().parse().unwrap()),
        "SMALLER" => Criterion::Smaller(text().parse().unwrap()),
        "SINCE" => Criterion::Since(day(&text())),
        "BEFORE" => Criterion::Before(day(&text())),
        "X-GM-LABELS" => Criterion::Label(text()),
        "HEADER" => {
            let name = text();
            // A handful of names in a test's life.
            Criterion::Header(name.leak(), text())
        }
        "X-GM-RAW" => raw(&mut text().chars().peekable()),
        "NOT" => Criterion::Not(Box::new(key(tokens))),
        "OR" => {
            let one = key(tokens);
            Criterion::Or(Box::new(one), Box::new(key(tokens)))
        }
        other => panic!("a search key that no server knows: {other}"),
    }
}

/// `(from:"a" OR -has:attachment)`.
fn raw(chars: &mut Peekable<Chars<'_>>) -> Criterion {
    if chars.next_if_eq(&'-').is_some() {
        return Criterion::Not(Box::new(raw(chars)));
    }
    if chars.next_if_eq(&'(').is_some() {
        let mut all = vec![raw(chars)];
        loop {
            match chars.next() {
                Some(')') => return Criterion::And(all),
                Some(' ') if chars.clone().take(3).eq("OR ".chars()) => {
                    chars.nth(2);
                    let one = Criterion::And(std::mem::take(&mut all));
                    all.push(Criterion::Or(Box::new(one), Box::new(raw(chars))));
                }
                Some(' ') => all.push(raw(chars)),
                other => panic!("{other:?} in X-GM-RAW"),
            }
        }
    }
    let mut key = String::new();
    while let Some(c) = chars.next_if(|c| !" ()\"".contains(*c)) {
        key.push(c);
    }
    if chars.next_if_eq(&'"').is_none() {
        return match key.as_str() {
            "has:attachment" => Criterion::HasAttachment,
            "is:read" => Criterion::Seen,
            "is:unread" => Criterion::Unseen,
            "is:starred" => Criterion::Flagged,
            other => panic!("{other} in X-GM-RAW"),
        };
    }
    let text: String = chars.by_ref().take_while(|c| *c != '"').collect();
    match key.as_str() {
        "from:" => Criterion::From(text),
        "to:" => Criterion::To(text),
        "cc:" => Criterion::Cc(text),
        "bcc:" => Criterion::Bcc(text),
        "subject:" => Criterion::Subject(text),
        "filename:" => Criterion::Filename(text),
        "" => Criterion::Text(text),
        other => panic!("{other} in X-GM-RAW"),
    }
}
