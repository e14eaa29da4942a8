//! The mailboxes that a field names (RFC 5322 §3.4), read as people write them.

mod token;

use self::token::{Token, Tokens};
use imapmcp_core::mail::Address;

/// Mailboxes of one field.
const MAX_MAILBOXES: usize = 20_000;

/// Everybody whom a field names, in order, groups by their members; names with their encoded words. Never fails: what is no
/// address stands as it is, so that nobody is silently left out. Beside RFC 5322: `;` separates too, a name may hold
/// commas (`Doe, Ann <ann@a.example>`), colons and addresses, of two addresses in brackets both are told, and brackets and
/// quotes need not be closed.
pub fn mailboxes(raw: &str) -> Vec<Address> {
    let mut list = List::default();
    let mut tokens = Tokens::of(raw);
    let last_end = raw.rfind(';').unwrap_or(0);
    while let Some(token) = tokens.next() {
        match token {
            Token::Mark(',') => list.take(),
            Token::Mark(';') => list.end(),
            // the name of a group has a list with an end behind it; elsewhere a colon is part of a name
            Token::Mark(_) if tokens.place(raw) <= last_end && list.piece.is_words() => {
                list.piece = Piece::default();
                list.end();
            }
            Token::Mark(_) => list.piece.glue(":", ":"),
            Token::Blank => list.piece.blank = true,
            Token::Word(word) => list.piece.glue(word, word),
            Token::Quoted(inside, whole) => list.piece.glue(&inside, whole),
            Token::Comment(inside) => {
                list.piece.comment.get_or_insert(inside);
                list.piece.blank = true;
            }
            Token::Bracketed(inside) => {
                if list.piece.bracketed.is_some() {
                    list.take();
                }
                list.piece.bracketed = Some(address(inside));
            }
        }
        if list.found.len() >= MAX_MAILBOXES {
            return list.found;
        }
    }
    list.end();
    list.found
}

/// What stands in angle brackets: white space, a route (RFC 5322 §4.4) and a scheme taken off.
fn address(inside: &str) -> String {
    let bare: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = if bare.starts_with('@') {
        bare.split_once(':').map_or(bare.as_str(), |(_, end)| end)
    } else {
        &bare
    };
    let scheme = bare.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
    bare[if scheme { 7 } else { 0 }..].to_owned()
}

/// Words that stand without white space between them: as they are read, and as they came.
#[derive(Default)]
struct Item {
    read: String,
    raw: String,
    /// Something outside quotes is an `@`.
    has_at: bool,
}

/// What stands between two commas.
#[derive(Default)]
struct Piece {
    items: Vec<Item>,
    /// White space has come behind the last item.
    blank: bool,
    comment: Option<String>,
    bracketed: Option<String>,
}

impl Piece {
    fn glue(&mut self, read: &str, raw: &str) {
        let is_open = |item: &Item| item.has_at && item.raw.ends_with('@');
        // white space around the `@` of an address is not part of it
        let goes_on = !self.blank || raw.starts_with('@') || self.items.last().is_some_and(is_open);
        if !goes_on || self.items.is_empty() {
            self.items.push(Item::default());
        }
        self.blank = false;
        if let Some(item) = self.items.last_mut() {
            item.read.push_str(read);
            item.raw.push_str(raw);
            item.has_at |= !raw.starts_with('"') && raw.contains('@');
        }
    }

    /// Words alone, none of which is an address.
    fn is_words(&self) -> bool {
        self.bracketed.is_none() && !self.items.iter().any(|item| item.has_at)
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty() && self.bracketed.as_deref().is_none_or(str::is_empty)
    }

    fn words(&self) -> String {
        self.items.iter().map(|item| item.read.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn address(mut self) -> Address {
        let name = |words: String, comment: Option<String>| {
            Some(words).filter(|words| !words.is_empty()).or(comment)
        };
        if let Some(email) = self.bracketed.take() {
            return Address { name: name(self.words(), self.comment), email };
        }
        let mut places = (0..self.items.len()).filter(|at| self.items[*at].has_at);
        if let (Some(at), None) = (places.next(), places.next()) {
            let email = self.items.remove(at).raw;
            return Address { name: name(self.words(), self.comment), email };
        }
        // no address, or more than one: as it is
        let raw: Vec<_> = self.items.iter().map(|item| item.raw.as_str()).collect();
        Address { name: self.comment, email: raw.join(" ") }
    }
}

/// A list as far as it has been read.
#[derive(Default)]
struct List {
    found: Vec<Address>,
    piece: Piece,
    /// Pieces of words alone: the surname in front of a comma, perhaps.
    waiting: Vec<Piece>,
}

impl List {
    /// Takes the piece that ended.
    fn take(&mut self) {
        let piece = std::mem::take(&mut self.piece);
        if piece.is_empty() {
            return;
        }
        if piece.is_words() {
            self.waiting.push(piece);
        } else if piece.bracketed.is_some() {
            let before: Vec<String> = self.waiting.drain(..).map(|piece| piece.words()).collect();
            let mut address = piece.address();
            if !before.is_empty() {
                let names: Vec<String> = before.into_iter().chain(address.name).collect();
                address.name = Some(names.join(", "));
            }
            self.found.push(address);
        } else {
            self.release();
            self.found.push(piece.address());
        }
    }

    /// Takes the last piece, and those that turned out to be nobody's name.
    fn end(&mut self) {
        self.take();
        self.release();
    }

    fn release(&mut self) {
        self.found.extend(self.waiting.drain(..).map(Piece::address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(raw: &str) -> Vec<(String, String)> {
        mailboxes(raw).into_iter().map(|one| (one.name.unwrap_or_default(), one.email)).collect()
    }

    fn is(raw: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(name, email)| ((*name).to_owned(), (*email).to_owned())).collect();
        assert_eq!(told(raw), expected, "{raw}");
    }

    #[test]
    fn addresses_are_read_as_rfc_5322_writes_them() {
        is("a@x.example", &[("", "a@x.example")]);
        is("\"Doe, Jane\" <jane@x.example>", &[("Doe, Jane", "jane@x.example")]);
        is("Jane \"The \\\"Boss\\\"\" Doe <jane@x.example>", &[("Jane The \"Boss\" Doe", "jane@x.example")]);
        is(
            "friends: a@x.example, B <b@x.example>;, c@x.example",
            &[("", "a@x.example"), ("B", "b@x.example"), ("", "c@x.example")],
        );
        is("undisclosed-recipients:;", &[]);
        is("a@x.example (Ann)", &[("Ann", "a@x.example")]);
        is("(x) Ann (y) <a (z) @x.example> (w)", &[("Ann", "a(z)@x.example")]);
        is("<@r.example,@s.example:a@x.example>", &[("", "a@x.example")]);
        is("\"a b\"@x.example", &[("", "\"a b\"@x.example")]);
        is("a@[IPv6:::1], b@x.example", &[("", "a@[IPv6:::1]"), ("", "b@x.example")]);
        is("=?utf-8?Q?Doe,_J=C3=BCrgen?= <j@x.example>", &[("=?utf-8?Q?Doe,_J=C3=BCrgen?=", "j@x.example")]);
        is("", &[]);
        is(" , ;", &[]);
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        is("Doe, Ann <a@x.example>", &[("Doe, Ann", "a@x.example")]);
        is(
            "Doe, Ann, PhD <a@x.example>, b@y.example",
            &[("Doe, Ann, PhD", "a@x.example"), ("", "b@y.example")],
        );
        is("a@x.example; b@y.example", &[("", "a@x.example"), ("", "b@y.example")]);
        is("A <a@x.example>; Doe, B <b@y.example>;", &[("A", "a@x.example"), ("Doe, B", "b@y.example")]);
        is(
            "bob@b.example <bob@b.example>, carl@c.example",
            &[("bob@b.example", "bob@b.example"), ("", "carl@c.example")],
        );
        is("John Q. Public <j@x.example>", &[("John Q. Public", "j@x.example")]);
        is("Support: Team <s@x.example>", &[("Support: Team", "s@x.example")]);
        is("Ann a@x.example", &[("Ann", "a@x.example")]);
        is("a @ x.example", &[("", "a@x.example")]);
        is("< a@x.example >", &[("", "a@x.example")]);
        is("Ann <a@x.example", &[("Ann", "a@x.example")]);
        is("\"Ann <a@x.example>", &[("\"Ann", "a@x.example")]);
        is("Ann <mailto:a@x.example>", &[("Ann", "a@x.example")]);
        is("Ann<a@x.example>", &[("Ann", "a@x.example")]);
        is("MAILER-DAEMON", &[("", "MAILER-DAEMON")]);
        is("MAILER-DAEMON <>", &[("MAILER-DAEMON", "")]);
        is("<>", &[]);
        is("bob, carl@c.example", &[("", "bob"), ("", "carl@c.example")]);
    }

    #[test]
    fn an_address_in_a_name_is_a_name() {
        is("security@bank.example <x@evil.example>", &[("security@bank.example", "x@evil.example")]);
        is(
            "security@bank.example, <x@evil.example>",
            &[("", "security@bank.example"), ("", "x@evil.example")],
        );
        is(
            "Bank security@bank.example <x@evil.example>",
            &[("Bank security@bank.example", "x@evil.example")],
        );
        is("x@evil.example (security@bank.example)", &[("security@bank.example", "x@evil.example")]);
        is(
            "<security@bank.example> <x@evil.example>",
            &[("", "security@bank.example"), ("", "x@evil.example")],
        );
        is("\"security@bank.example\" <x@evil.example>", &[("security@bank.example", "x@evil.example")]);
        is("a@x.example b@y.example", &[("", "a@x.example b@y.example")]);
    }

    proptest! {
        #[test]
        fn every_address_in_a_field_is_told(raw in "[a-c@.<>()\",;: =?\\\\]{0,60}") {
            let found = mailboxes(&raw);
            prop_assert!(found.len() <= raw.len() + 1);
        }
    }
}
