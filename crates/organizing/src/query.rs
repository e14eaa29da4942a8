//! The query language of search_messages: what people know from their webmail, compiled to a [`Criterion`] tree.
//!
//! `from: to: cc: bcc: subject: body: has:attachment is:unread|read|flagged|answered|draft larger: smaller: before: after: on:
//! newer_than: older_than: in: rfc822msgid:`, `OR` between two terms, `-` before one, `( )`, and `"exact words"`.
//! Terms stand side by side for "and"; `OR` binds tighter.

use imapmcp_core::{mail::Criterion, time::Timestamp};
use std::fmt;

/// Terms of one query.
const MAX_TERMS: usize = 40;
/// Parentheses within each other.
const MAX_DEPTH: usize = 10;
/// Characters of one term.
const MAX_TERM: usize = 500;
/// Days that text is searched back where nothing else bounds it: a server reads every message for it.
const TEXT_DAYS: i64 = 90;
const DAY: i64 = 86_400;

/// A query, understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// What must hold; `None` if nothing was asked for.
    pub criterion: Option<Criterion>,
    /// Folders or roles named by `in:`; `anywhere` is all of them.
    pub folders: Vec<String>,
    /// Text of messages is searched only from this day on, because the query names no day.
    pub text_since: Option<Timestamp>,
    /// The same without that bound, where there is one.
    pub unbounded: Option<Criterion>,
}

/// What is wrong with a query, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// For the model.
    pub problem: String,
    /// A right one.
    pub example: &'static str,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

const EXAMPLE: &str = "\"from:marie subject:\\\"annual report\\\" after:2026-01-01 -is:read\"";

fn wrong<T>(problem: impl Into<String>) -> Result<T, QueryError> {
    Err(QueryError { problem: problem.into(), example: EXAMPLE })
}

/// Reads a query; `now` is what relative days count from.
pub fn parse(text: &str, now: Timestamp) -> Result<Query, QueryError> {
    let tokens = tokens(text)?;
    let dated =
        tokens.iter().any(|token| matches!(token, Token::Term { key: Some(key), .. } if is_date_key(key)));
    let mut query = read(&tokens, dated, now)?;
    if query.text_since.is_some() {
        query.unbounded = read(&tokens, true, now)?.criterion;
    }
    Ok(query)
}

fn read(tokens: &[Token], dated: bool, now: Timestamp) -> Result<Query, QueryError> {
    let mut parser = Parser { tokens, at: 0, now, dated, query: Query::default() };
    let criterion = parser.all(0)?;
    if parser.at < tokens.len() {
        return wrong("has a closing parenthesis too many");
    }
    let mut query = parser.query;
    query.criterion = criterion;
    Ok(query)
}

/// A word anywhere in a message: in what the server has at hand, or, in the last 90 days, in its text.
/// `dated` says that the rest of the query bounds the days already.
pub fn anywhere(word: &str, dated: bool, now: Timestamp) -> (Criterion, Option<Timestamp>) {
    if dated {
        return (Criterion::Text(word.to_owned()), None);
    }
    let since = days_ago(now, TEXT_DAYS);
    let or = |left, right| Criterion::Or(Box::new(left), Box::new(right));
    let text = Criterion::And(vec![Criterion::Since(since), Criterion::Text(word.to_owned())]);
    let word = || word.to_owned();
    let header = or(Criterion::Subject(word()), or(Criterion::From(word()), Criterion::To(word())));
    (or(header, text), Some(since))
}

/// Words in the text, as [`anywhere`].
pub fn in_body(words: &str, dated: bool, now: Timestamp) -> (Criterion, Option<Timestamp>) {
    let body = Criterion::Body(words.to_owned());
    if dated {
        return (body, None);
    }
    let since = days_ago(now, TEXT_DAYS);
    (Criterion::And(vec![Criterion::Since(since), body]), Some(since))
}

fn days_ago(now: Timestamp, days: i64) -> Timestamp {
    now.plus_seconds(-days * DAY)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Or,
    Not,
    Term { key: Option<String>, value: String },
}

fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let (token, after) = match c {
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            '-' if rest[1..].starts_with(|c: char| !c.is_whitespace()) => (Token::Not, &rest[1..]),
            _ => term(rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
        if tokens.len() > MAX_TERMS {
            return wrong(format!("has more than {MAX_TERMS} terms"));
        }
    }
    Ok(tokens)
}

/// A word, `key:word`, `"words"` or `key:"words"`.
fn term(rest: &str) -> Result<(Token, &str), QueryError> {
    let word_end = rest.find(|c: char| c.is_whitespace() || "()\"".contains(c)).unwrap_or(rest.len());
    let (key, rest) = match rest[..word_end].split_once(':') {
        Some((key, _)) if is_key(key) => (Some(key.to_ascii_lowercase()), &rest[key.len() + 1..]),
        Some((key, value)) if !key.is_empty() && !value.starts_with("//") => match nearest(key) {
            Some(known) => {
                return wrong(format!("has `{key}:`, which is not known; did you mean `{known}:`?"));
            }
            None => (None, rest),
        },
        _ => (None, rest),
    };
    let (value, after) = if let Some(quoted) = rest.strip_prefix('"') {
        match quoted.split_once('"') {
            Some((value, after)) => (value, after),
            None => return wrong("has a quotation mark that is not closed"),
        }
    } else {
        let end = rest.find(|c: char| c.is_whitespace() || "()".contains(c)).unwrap_or(rest.len());
        rest.split_at(end)
    };
    if key.is_none() && value == "OR" && !rest.starts_with('"') {
        return Ok((Token::Or, after));
    }
    if value.trim().is_empty() {
        return wrong(match key {
            Some(key) => format!("has nothing after `{key}:`"),
            None => "has empty quotation marks".to_owned(),
        });
    }
    if value.chars().count() > MAX_TERM {
        return wrong(format!("has a term of more than {MAX_TERM} characters"));
    }
    if value.chars().any(char::is_control) {
        return wrong("has a control character");
    }
    Ok((Token::Term { key, value: value.to_owned() }, after))
}

const KEYS: &[&str] = &[
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "body",
    "has",
    "is",
    "larger",
    "smaller",
    "before",
    "after",
    "since",
    "until",
    "on",
    "newer_than",
    "older_than",
    "in",
    "rfc822msgid",
];

fn is_key(word: &str) -> bool {
    KEYS.iter().any(|key| word.eq_ignore_ascii_case(key))
}

fn is_date_key(key: &str) -> bool {
    matches!(key, "before" | "after" | "since" | "until" | "on" | "newer_than" | "older_than")
}

/// A key that was surely meant; ordinary words before a colon ("Re: x") are words.
fn nearest(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    let close = |key: &&&str| word.len() > 3 && strsim::damerau_levenshtein(key, &word) == 1;
    KEYS.iter().find(close).copied()
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    now: Timestamp,
    dated: bool,
    query: Query,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// Terms side by side, up to the end or a closing parenthesis.
    fn all(&mut self, depth: usize) -> Result<Option<Criterion>, QueryError> {
        let mut every = Vec::new();
        while self.peek().is_some_and(|token| *token != Token::Close) {
            let Some(mut either) = self.one(depth)? else { continue };
            while self.peek() == Some(&Token::Or) {
                self.at += 1;
                match self.one(depth)? {
                    Some(other) => either = Criterion::Or(Box::new(either), Box::new(other)),
                    None => return wrong("has OR before a term that cannot stand there"),
                }
            }
            every.push(either);
        }
        Ok(match every.len() {
            0 => None,
            1 => every.pop(),
            _ => Some(Criterion::And(every)),
        })
    }

    fn one(&mut self, depth: usize) -> Result<Option<Criterion>, QueryError> {
        let token = self.peek().cloned();
        self.at += 1;
        match token {
            Some(Token::Open) if depth >= MAX_DEPTH => wrong("has parentheses too deep"),
            Some(Token::Open) => {
                let inner = self.all(depth + 1)?;
                if self.peek() != Some(&Token::Close) {
                    return wrong("has a parenthesis that is not closed");
                }
                self.at += 1;
                Ok(inner)
            }
            Some(Token::Not) if depth >= MAX_DEPTH => wrong("has too many minus signs"),
            Some(Token::Not) => match self.one(depth + 1)? {
                Some(criterion) => Ok(Some(Criterion::Not(Box::new(criterion)))),
                None => wrong("has a minus sign before something it cannot turn round"),
            },
            Some(Token::Term { key: None, value }) => {
                let (criterion, since) = anywhere(&value, self.dated, self.now);
                self.query.text_since = self.query.text_since.or(since);
                Ok(Some(criterion))
            }
            Some(Token::Term { key: Some(key), value }) => self.keyed(&key, value),
            Some(Token::Or) => wrong("has OR where a term should be"),
            Some(Token::Close) | None => wrong("ends where a term should be"),
        }
    }

    fn keyed(&mut self, key: &str, value: String) -> Result<Option<Criterion>, QueryError> {
        Ok(Some(match key {
            "from" => Criterion::From(value),
            "to" => Criterion::To(value),
            "cc" => Criterion::Cc(value),
            "bcc" => Criterion::Bcc(value),
            "subject" => Criterion::Subject(value),
            "body" => {
                let (criterion, since) = in_body(&value, self.dated, self.now);
                self.query.text_since = self.query.text_since.or(since);
                criterion
            }
            "rfc822msgid" => Criterion::Header("Message-ID", value),
            "in" => {
                self.query.folders.push(value);
                return Ok(None);
            }
            "has" => match value.to_ascii_lowercase().as_str() {
                "attachment" | "attachments" => Criterion::HasAttachment,
                _ => return wrong(format!("has `has:{value}`; known is has:attachment")),
            },
            "is" => is(&value)?,
            "larger" => Criterion::Larger(size(&value)?),
            "smaller" => Criterion::Smaller(size(&value)?),
            "after" | "since" => Criterion::Since(self.day(&value)?),
            "before" => Criterion::Before(self.day(&value)?),
            "until" => Criterion::Before(self.day(&value)?.plus_seconds(DAY)),
            "on" => {
                let day = self.day(&value)?;
                Criterion::And(vec![Criterion::Since(day), Criterion::Before(day.plus_seconds(DAY))])
            }
            "newer_than" => Criterion::Since(self.ago(&value)?),
            _ => Criterion::Before(self.ago(&value)?),
        }))
    }

    /// `2026-11-22`, `2026/11/22`, `today`, `yesterday`, or an age such as `7d`.
    fn day(&self, text: &str) -> Result<Timestamp, QueryError> {
        match text {
            "today" => return Ok(self.now),
            "yesterday" => return Ok(days_ago(self.now, 1)),
            _ => {}
        }
        if let Some(at) = Timestamp::from_rfc3339(&text.replace('/', "-")) {
            return Ok(at);
        }
        self.ago(text).or_else(|_| wrong(format!("has `{text}`, which is not a day such as 2026-11-22")))
    }

    /// `7d`, `2w`, `3m`, `1y`.
    fn ago(&self, text: &str) -> Result<Timestamp, QueryError> {
        let unit = text.chars().last().map(|unit| unit.to_ascii_lowercase());
        let days = match unit {
            Some('d') => 1,
            Some('w') => 7,
            Some('m') => 30,
            Some('y') => 365,
            _ => return wrong(format!("has `{text}`, which is not an age such as 7d, 2w, 3m or 1y")),
        };
        match text[..text.len() - 1].parse::<u16>() {
            Ok(count) => Ok(days_ago(self.now, i64::from(count) * days)),
            Err(_) => wrong(format!("has `{text}`, which is not an age such as 7d, 2w, 3m or 1y")),
        }
    }
}

fn is(value: &str) -> Result<Criterion, QueryError> {
    Ok(match value.to_ascii_lowercase().as_str() {
        "unread" | "unseen" => Criterion::Unseen,
        "read" | "seen" => Criterion::Seen,
        "flagged" | "starred" => Criterion::Flagged,
        "answered" | "replied" => Criterion::Answered,
        "draft" => Criterion::Draft,
        _ => {
            return wrong(format!(
                "has `is:{value}`; known are is:unread, is:read, is:flagged, is:answered and is:draft"
            ));
        }
    })
}

/// `500000`, `500k`, `5M`, `1G`.
fn size(text: &str) -> Result<u32, QueryError> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.strip_suffix('b').unwrap_or(&lower);
    let (number, unit) = match lower.chars().last() {
        Some('k') => (&lower[..lower.len() - 1], 1024),
        Some('m') => (&lower[..lower.len() - 1], 1024 * 1024),
        Some('g') => (&lower[..lower.len() - 1], 1024 * 1024 * 1024),
        _ => (lower, 1),
    };
    let octets = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match octets.map(|octets| u32::try_from(octets).unwrap_or(u32::MAX)) {
        Some(octets) => Ok(octets),
        None => wrong(format!("has `{text}`, which is not a size such as 500k or 5M")),
    }
}

#[cfg(test)]
mod tests;
