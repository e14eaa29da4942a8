//! One spelling of CSS, whatever its author made of it: lower case, escapes undone, comments gone, white space single.

use cssparser::{
    CowRcStr, ParseError, Parser, Token, TokenSerializationType, serialize_identifier, serialize_string,
};

/// What is to be spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The value of a property, whose strings and addresses do not matter: they are left empty.
    Value,
    /// The same with its strings and addresses.
    WholeValue,
    /// Selectors: names stay names, and values of attributes keep their case, but those of `class` and `id`.
    Selectors,
}

/// Spells what is left of the input.
pub(crate) fn spell(input: &mut Parser<'_>, of: Of) -> Result<String, ParseError<()>> {
    let mut spelling = Spelling::new(of);
    spelling.all(input)?;
    Ok(spelling.pieces.concat().trim_end().to_owned())
}

/// Spells what is left of the input, cut at the commas outside blocks.
pub(crate) fn spell_list(input: &mut Parser<'_>, of: Of) -> Result<Vec<String>, ParseError<()>> {
    let mut spelling = Spelling { cuts: true, ..Spelling::new(of) };
    spelling.all(input)?;
    Ok(spelling.pieces.iter().map(|piece| piece.trim().to_owned()).collect())
}

/// The words of a value, cut at the white space outside blocks.
pub(crate) fn words(value: &str) -> Vec<&str> {
    let (mut input, mut words, mut start) = (Parser::new(value), Vec::new(), None);
    loop {
        let at = input.position();
        let ends = match input.next_including_whitespace() {
            Ok(Token::WhiteSpace(_)) => true,
            Ok(_) => {
                start.get_or_insert(at);
                continue;
            }
            Err(_) => false,
        };
        words.extend(start.take().map(|start| input.slice(start..input.position()).trim_end()));
        if !ends {
            return words;
        }
    }
}

/// The addresses in `url(…)`.
pub(crate) fn addresses(css: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&mut Parser::new(css), false, &mut found);
    found
}

fn collect(input: &mut Parser<'_>, inside: bool, found: &mut Vec<String>) {
    while let Ok(token) = input.next() {
        let inside = match token {
            Token::UnquotedUrl(address) => {
                found.push(address.to_string());
                continue;
            }
            Token::QuotedString(address) => {
                found.extend(inside.then(|| address.to_string()));
                continue;
            }
            Token::Function(name) => name.eq_ignore_ascii_case("url"),
            Token::ParenthesisBlock | Token::SquareBracketBlock | Token::CurlyBracketBlock => false,
            _ => continue,
        };
        // a block too deep to be read is passed over
        let _: Result<(), ParseError<()>> = input.parse_nested_block(|input| {
            collect(input, inside, found);
            Ok(())
        });
    }
}

struct Spelling {
    of: Of,
    /// Whether a comma outside blocks begins another piece.
    cuts: bool,
    pieces: Vec<String>,
    before: TokenSerializationType,
    /// A comment stood here.
    gap: bool,
    /// In an attribute's selector, what it says of the attribute's value.
    attribute: Attribute,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Outside,
    /// Its name has not come yet.
    Unnamed,
    /// Its value keeps its case.
    Exact,
    /// Class or identifier, of which a message without a doctype has no case.
    Caseless,
}

impl Spelling {
    fn new(of: Of) -> Self {
        let (before, attribute) = (TokenSerializationType::Nothing, Attribute::Outside);
        Self { of, cuts: false, pieces: vec![String::new()], before, gap: false, attribute }
    }

    fn push(&mut self, text: &str) {
        if let Some(piece) = self.pieces.last_mut() {
            piece.push_str(text);
        }
    }

    fn ends_with(&self, marks: &[char]) -> bool {
        self.pieces.last().is_none_or(|piece| piece.is_empty() || piece.ends_with(marks))
    }

    fn all(&mut self, input: &mut Parser<'_>) -> Result<(), ParseError<()>> {
        self.block(input, true)
    }

    fn block(&mut self, input: &mut Parser<'_>, outermost: bool) -> Result<(), ParseError<()>> {
        loop {
            let start = input.state();
            let Ok(token) = input.next_including_whitespace_and_comments() else { return Ok(()) };
            let token = token.clone();
            match &token {
                Token::Comment(_) => {
                    self.gap = true;
                    continue;
                }
                Token::WhiteSpace(_) => {
                    if !self.ends_with(&[' ', '(', '[']) {
                        self.push(" ");
                    }
                    (self.before, self.gap) = (token.serialization_type(), false);
                    continue;
                }
                _ => {}
            }
            let kind = token.serialization_type();
            // what a comment kept apart stays apart, and is nothing that is known here
            if std::mem::take(&mut self.gap) && self.before.needs_separator_when_before(kind) {
                self.push("/**/");
            }
            self.before = kind;
            if token == Token::Comma && self.cuts && outermost {
                self.pieces.push(String::new());
                continue;
            }
            let source = input.slice_from(start.position());
            self.token(input, &token, source)?;
        }
    }

    fn token(
        &mut self,
        input: &mut Parser<'_>,
        token: &Token<'_>,
        source: &str,
    ) -> Result<(), ParseError<()>> {
        match token {
            Token::Ident(name) => self.name(name),
            Token::Hash(name) | Token::IDHash(name) => {
                self.push("#");
                self.name(name);
            }
            Token::Number { value, .. } => self.number(source, *value, ""),
            Token::Percentage { unit_value, .. } => self.number(source, unit_value * 100.0, "%"),
            Token::Dimension { value, unit, .. } => {
                self.number(source, *value, &unit.to_ascii_lowercase());
            }
            Token::QuotedString(text) => self.string(text),
            Token::UnquotedUrl(address) => {
                let address = if self.of == Of::Value { "" } else { address };
                self.push(&format!("url({})", address.to_ascii_lowercase()));
            }
            Token::Function(name) => {
                self.name(name);
                self.nested(input, "(", ")")?;
            }
            Token::ParenthesisBlock => self.nested(input, "(", ")")?,
            Token::SquareBracketBlock => {
                self.attribute = Attribute::Unnamed;
                self.nested(input, "[", "]")?;
                self.attribute = Attribute::Outside;
            }
            // a brace too many before a selector is passed over, which hides more than a browser would
            Token::CloseCurlyBracket if self.of == Of::Selectors => {}
            Token::CurlyBracketBlock | Token::CDO | Token::CDC | Token::AtKeyword(_) => {
                return Err(ParseError::unexpected_token());
            }
            token if token.is_parse_error() => return Err(ParseError::unexpected_token()),
            _ => self.push(source),
        }
        Ok(())
    }

    fn nested(&mut self, input: &mut Parser<'_>, opens: &str, closes: &str) -> Result<(), ParseError<()>> {
        self.push(opens);
        input.parse_nested_block(|input| self.block(input, false))?;
        self.gap = false;
        self.push(closes);
        Ok(())
    }

    fn name(&mut self, name: &CowRcStr<'_>) {
        if self.of == Of::Selectors {
            let lower = name.to_lowercase();
            let exact = self.attribute == Attribute::Exact;
            if self.attribute == Attribute::Unnamed {
                let caseless = matches!(&*lower, "class" | "id");
                self.attribute = if caseless { Attribute::Caseless } else { Attribute::Exact };
            }
            if let Some(piece) = self.pieces.last_mut() {
                // writing to a string does not fail
                let _ = serialize_identifier(if exact { name } else { &lower }, piece);
            }
            return;
        }
        // an escape that makes something else than a letter makes no name that is known here
        let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
        let name: String = name.chars().map(plain).flat_map(char::to_lowercase).collect();
        self.push(&name);
    }

    /// As it was written, but without an exponent or an escape.
    fn number(&mut self, source: &str, value: f32, unit: &str) {
        let digits = source.trim_end_matches(|c: char| !c.is_ascii_digit() && c != '.');
        let plain = digits.bytes().all(|octet| octet.is_ascii_digit() || b"+-.".contains(&octet));
        if plain && source.len() - digits.len() == unit.len() {
            self.push(digits);
        } else {
            self.push(&value.to_string());
        }
        self.push(unit);
    }

    fn string(&mut self, text: &str) {
        let text = match (self.of, self.attribute) {
            (Of::Value, _) => String::new(),
            (Of::Selectors, Attribute::Exact) => text.to_owned(),
            _ => text.to_lowercase(),
        };
        if let Some(piece) = self.pieces.last_mut() {
            // writing to a string does not fail
            let _ = serialize_string(&text, piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(css: &str) -> Option<String> {
        spell(&mut Parser::new(css), Of::Value).ok()
    }

    #[test]
    fn a_value_has_one_spelling() {
        for (css, spelled) in [
            (" NONE ", "none"),
            ("n\\6fne", "none"),
            ("n\\6f ne", "none"),
            ("none/* x */", "none"),
            ("/**/none/**/", "none"),
            ("10/**/px", "10/**/px"),
            ("10\\70x", "10px"),
            ("-1e4px", "-10000px"),
            (".5em", ".5em"),
            ("RGB( 0 ,0, 0)", "rgb(0 ,0, 0)"),
            ("url(a.gif) white", "url() white"),
            ("url(\"a)red\") white", "url(\"\") white"),
            ("a\\;b", "a_b"),
        ] {
            assert_eq!(value(css).as_deref(), Some(spelled), "{css}");
        }
        for wrong in ["red)", "red]", "{}", "a 'b\nc'", "red}", "url(a b)"] {
            assert_eq!(value(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn words_are_cut_outside_blocks() {
        assert_eq!(words("0 calc(1px + 2px)  auto"), ["0", "calc(1px + 2px)", "auto"]);
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn selectors_are_cut_outside_blocks_and_keep_what_has_case() {
        let spelled =
            spell_list(&mut Parser::new("P.A, :not(B, c) > d,[data-x='Q,q'],[ID=Z]"), Of::Selectors);
        assert_eq!(spelled.unwrap(), ["p.a", ":not(b, c) > d", "[data-x=\"Q,q\"]", "[id=z]"]);
        assert_eq!(spell_list(&mut Parser::new(".a/**/.b"), Of::Selectors).unwrap(), [".a.b"]);
    }

    #[test]
    fn addresses_are_found_wherever_they_stand() {
        let css = "background:url( \"HTTPS://v.example/b\" ), url(//u.example/a\\)b);x:'url(no)'/*url(no)*/";
        assert_eq!(addresses(css), ["HTTPS://v.example/b", "//u.example/a)b"]);
    }
}
