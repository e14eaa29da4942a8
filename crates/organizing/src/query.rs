//! The query language of search_messages: what people know from their webmail, compiled to a [`Criterion`] tree.
//!
//! `from: to: cc: bcc: subject: body: filename: list: label: keyword: has:attachment is:unread|read|flagged|answered|draft
//! larger: smaller: before: after: on: newer_than: older_than: in: rfc822msgid:`, `OR` between two terms, `AND`, `-` or `NOT`
//! before one, `( )`, and `"exact words"`. Terms stand side by side for "and"; `OR` binds tighter.

mod terms;
mod tokens;

use self::tokens::{Token, is_date_key, tokens};
use imapmcp_core::{mail::Criterion, time::Timestamp};
use std::fmt;

/// Parentheses within each other.
const MAX_DEPTH: usize = 10;
/// Days that text is searched back where nothing else bounds it: a server reads every message for it.
const TEXT_DAYS: i64 = 90;
const DAY: i64 = 86_400;

/// A query, understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// What must hold; `None` if nothing was asked for.
    pub criterion: Option<Criterion>,
    /// Folders or roles named by `in:` or `folder:`; `anywhere` is all of them.
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
        let (mut every, begun) = (Vec::new(), self.at);
        while self.peek().is_some_and(|token| *token != Token::Close) {
            if self.peek() == Some(&Token::And) {
                let follows = |token: &Token| !matches!(token, Token::And | Token::Or | Token::Close);
                if self.at == begun || !self.tokens.get(self.at + 1).is_some_and(follows) {
                    return wrong("has AND where a term should be");
                }
                self.at += 1;
            }
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
            Some(Token::Not) if depth >= MAX_DEPTH => wrong("has too many minus signs or NOTs"),
            Some(Token::Not) => match self.one(depth + 1)? {
                Some(criterion) => Ok(Some(Criterion::Not(Box::new(criterion)))),
                None => wrong("has a minus sign or NOT before something it cannot turn round"),
            },
            Some(Token::Term { key: None, value }) => {
                let (criterion, since) = anywhere(&value, self.dated, self.now);
                self.query.text_since = self.query.text_since.or(since);
                Ok(Some(criterion))
            }
            Some(Token::Term { key: Some(key), value }) => self.keyed(&key, value),
            Some(Token::Or) => wrong("has OR where a term should be"),
            Some(Token::And) => wrong("has AND where a term should be"),
            Some(Token::Close) | None => wrong("ends where a term should be"),
        }
    }
}

#[cfg(test)]
mod tests;
