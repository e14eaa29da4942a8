//! A query in pieces: words, keys, quotes and operators.

use super::{QueryError, wrong};

/// Terms of one query.
const MAX_TERMS: usize = 40;
/// Characters of one term.
const MAX_TERM: usize = 500;

/// A piece of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    Or,
    And,
    Not,
    Term { key: Option<String>, value: String },
}

/// Takes a query apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
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
        Some((key, value)) if looks_like_key(key, value, &rest[word_end..]) => return wrong(unknown(key)),
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
    let operator = match value {
        "OR" => Some(Token::Or),
        "AND" => Some(Token::And),
        "NOT" => Some(Token::Not),
        _ => None,
    };
    if let Some(operator) = operator.filter(|_| key.is_none() && !rest.starts_with('"')) {
        return Ok((operator, after));
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
    "filename",
    "list",
    "label",
    "keyword",
    "has",
    "is",
    "larger",
    "smaller",
    "size",
    "before",
    "after",
    "since",
    "until",
    "on",
    "newer",
    "older",
    "newer_than",
    "older_than",
    "in",
    "folder",
    "rfc822msgid",
];

fn is_key(word: &str) -> bool {
    KEYS.iter().any(|key| word.eq_ignore_ascii_case(key))
}

/// Whether a key bounds the days by itself.
pub(super) fn is_date_key(key: &str) -> bool {
    matches!(
        key,
        "before" | "after" | "since" | "until" | "on" | "newer" | "older" | "newer_than" | "older_than"
    )
}

/// Whether a word before a colon is meant as a key. `Re:` and `12:30` are words, and so is an address of a page; what is
/// meant as text in spite of its look is written in quotes.
fn looks_like_key(key: &str, value: &str, behind: &str) -> bool {
    let is_word = key.len() > 1 && key.bytes().all(|b| b.is_ascii_alphabetic() || b"_-".contains(&b));
    let has_value = if value.is_empty() { behind.starts_with('"') } else { !value.starts_with("//") };
    is_word && has_value
}

/// What is wrong with a key, and which there are.
fn unknown(key: &str) -> String {
    let shown: String = key.chars().take(40).collect();
    let word = key.to_ascii_lowercase();
    let close = |known: &&&str| word.len() > 3 && strsim::damerau_levenshtein(known, &word) == 1;
    match KEYS.iter().find(close) {
        Some(known) => format!("has `{shown}:`, which is not known; did you mean `{known}:`?"),
        None => format!(
            "has `{shown}:`, which is not known; known are {}: and, for text that only looks like a key, quotation marks",
            KEYS.join(": ")
        ),
    }
}
