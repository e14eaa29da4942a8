//! A field of addresses, token by token (RFC 5322 §3.2).

/// Octets of an encoded word.
const MAX_WORD: usize = 1_000;

/// One token.
pub(super) enum Token<'a> {
    Word(&'a str),
    /// A quoted string, as it is read and as it came.
    Quoted(String, &'a str),
    /// What a comment says.
    Comment(String),
    /// What stands in angle brackets.
    Bracketed(&'a str),
    /// `,`, `;` or `:`.
    Mark(char),
    Blank,
}

/// The tokens of a field. What has no end is a word: that is found out once, not again at every beginning.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    no_quote: bool,
    no_comment: bool,
}

impl<'a> Tokens<'a> {
    pub(super) const fn of(raw: &'a str) -> Self {
        Self { rest: raw, no_quote: false, no_comment: false }
    }

    /// How much of the field has been read, in octets.
    pub(super) const fn place(&self, raw: &str) -> usize {
        raw.len() - self.rest.len()
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn quoted(&mut self) -> Option<Token<'a>> {
        let end = end(self.rest, '"', false).filter(|_| !self.no_quote);
        self.no_quote |= end.is_none();
        let whole = self.take(end?);
        Some(Token::Quoted(unescaped(&whole[1..whole.len() - 1]), whole))
    }

    fn comment(&mut self) -> Option<Token<'a>> {
        let end = end(self.rest, ')', true).filter(|_| !self.no_comment);
        self.no_comment |= end.is_none();
        let whole = self.take(end?);
        Some(Token::Comment(unescaped(whole[1..whole.len() - 1].trim())))
    }

    /// What is in angle brackets: up to their end, or where it has none to what separates addresses.
    fn bracketed(&mut self) -> Option<Token<'a>> {
        let inside = &self.rest[1..];
        let (length, closed) = match inside.find(['>', '<']).map(|at| (at, inside.as_bytes()[at] == b'>')) {
            Some((at, true)) => (at, true),
            other => {
                let limit = other.map_or(inside.len(), |(at, _)| at);
                (inside[..limit].find([',', ';']).unwrap_or(limit), false)
            }
        };
        let inside = &inside[..length];
        if !closed && inside.trim().is_empty() {
            return None;
        }
        self.take(1 + length + usize::from(closed));
        Some(Token::Bracketed(inside))
    }

    fn word(&mut self) -> Token<'a> {
        if let Some(length) = encoded_word(self.rest) {
            return Token::Word(self.take(length));
        }
        let first = self.rest.chars().next().map_or(0, char::len_utf8);
        // an address literal holds colons (RFC 5321 §4.1.3)
        let literal = self.rest.starts_with('[');
        let ends = |c: char| {
            c.is_whitespace()
                || matches!(c, ',' | ';' | '<' | '"' | '(' | '[' | '=')
                || (c == ':' && !literal)
        };
        let length = self.rest[first..].find(ends).map_or(self.rest.len(), |at| first + at);
        Token::Word(self.take(length))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let first = self.rest.chars().next()?;
        let token = match first {
            ',' | ';' | ':' => {
                self.take(1);
                Some(Token::Mark(first))
            }
            c if c.is_whitespace() => {
                let blanks = self.rest.len() - self.rest.trim_start().len();
                self.take(blanks);
                Some(Token::Blank)
            }
            '"' if !self.no_quote => self.quoted(),
            '(' if !self.no_comment => self.comment(),
            '<' => self.bracketed(),
            _ => None,
        };
        Some(token.unwrap_or_else(|| self.word()))
    }
}

/// Where what begins with the first character ends, behind its last; comments lie within each other.
fn end(text: &str, last: char, nests: bool) -> Option<usize> {
    let (mut depth, mut escaped) = (1_usize, false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == last => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            '(' if nests => depth += 1,
            _ => {}
        }
    }
    None
}

/// The length of the encoded word (RFC 2047) at the start of a text: what looks like a separator in it is none.
fn encoded_word(text: &str) -> Option<usize> {
    let inside = crate::header::first_octets(text.strip_prefix("=?")?, MAX_WORD);
    let charset = inside.find('?')?;
    let coding = inside[charset + 1..].find('?').filter(|length| *length == 1)?;
    let payload = charset + 1 + coding + 1;
    let length = inside[payload..].find("?=")?;
    let word = &inside[..payload + length];
    (!word.contains(['<', '>', '"'])).then_some(2 + payload + length + 2)
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.extend(characters.next()),
            '\r' | '\n' => {}
            c => out.push(c),
        }
    }
    out
}
