//! What a server can do, read once from its list and asked by name.

/// The capabilities that matter here, each a place in [`Capabilities`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Imap4Rev2,
    AuthPlain,
    AuthXoauth2,
    Binary,
    Esearch,
    Gmail,
    Id,
    ListExtended,
    ListStatus,
    LiteralMinus,
    LiteralPlus,
    LoginDisabled,
    Move,
    Namespace,
    ObjectId,
    SaslIr,
    Sort,
    SpecialUse,
    ThreadReferences,
    UidPlus,
}

/// As servers spell them, upper case.
const SPELLED: [(&str, Word); 20] = [
    ("IMAP4REV2", Word::Imap4Rev2),
    ("AUTH=PLAIN", Word::AuthPlain),
    ("AUTH=XOAUTH2", Word::AuthXoauth2),
    ("BINARY", Word::Binary),
    ("ESEARCH", Word::Esearch),
    ("X-GM-EXT-1", Word::Gmail),
    ("ID", Word::Id),
    ("LIST-EXTENDED", Word::ListExtended),
    ("LIST-STATUS", Word::ListStatus),
    ("LITERAL-", Word::LiteralMinus),
    ("LITERAL+", Word::LiteralPlus),
    ("LOGINDISABLED", Word::LoginDisabled),
    ("MOVE", Word::Move),
    ("NAMESPACE", Word::Namespace),
    ("OBJECTID", Word::ObjectId),
    ("SASL-IR", Word::SaslIr),
    ("SORT", Word::Sort),
    ("SPECIAL-USE", Word::SpecialUse),
    ("THREAD=REFERENCES", Word::ThreadReferences),
    ("UIDPLUS", Word::UidPlus),
];

/// Octets of a literal that LITERAL- lets go without a question (RFC 7888 §5).
const SMALL_LITERAL: u64 = 4096;

/// What one server can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// One bit for each [`Word`].
    words: u32,
    message_limit: usize,
}

impl Capabilities {
    /// Of a server's list, in upper case.
    pub(crate) fn of(list: &[String]) -> Self {
        let known = list.iter().filter_map(|one| SPELLED.iter().find(|(spelled, _)| spelled == one));
        let limit = |one: &String| one.strip_prefix("MESSAGELIMIT=")?.parse().ok();
        Self {
            words: known.fold(0, |words, (_, word)| words | 1 << *word as u32),
            message_limit: list.iter().find_map(limit).filter(|limit| *limit > 0).unwrap_or(usize::MAX),
        }
    }

    const fn has(self, word: Word) -> bool {
        self.words & 1 << word as u32 != 0
    }

    /// The most messages a command may concern, as the server announces it (RFC 9738).
    pub(crate) const fn message_limit(self) -> usize {
        self.message_limit
    }

    /// A password as SASL PLAIN (RFC 4616).
    pub(crate) const fn takes_plain(self) -> bool {
        self.has(Word::AuthPlain)
    }

    /// An access token as XOAUTH2.
    pub(crate) const fn takes_bearer(self) -> bool {
        self.has(Word::AuthXoauth2)
    }

    /// LOGIN is refused before it is tried (RFC 9051 §6.2.3).
    pub(crate) const fn forbids_login(self) -> bool {
        self.has(Word::LoginDisabled)
    }

    /// The response of a mechanism may ride behind its name (RFC 4959).
    pub(crate) const fn takes_initial_response(self) -> bool {
        self.has(Word::SaslIr)
    }

    /// Clients may say who they are (RFC 2971).
    pub(crate) const fn has_id(self) -> bool {
        self.has(Word::Id)
    }

    /// A literal of so many octets goes without a question (RFC 7888).
    pub(crate) const fn takes_literal_unasked(self, octets: u64) -> bool {
        self.has(Word::LiteralPlus) || (self.has(Word::LiteralMinus) && octets <= SMALL_LITERAL)
    }

    /// Gmail's extensions.
    pub(crate) const fn is_gmail(self) -> bool {
        self.has(Word::Gmail)
    }

    /// MOVE (RFC 6851).
    pub(crate) const fn can_move(self) -> bool {
        self.has(Word::Move) || self.has(Word::Imap4Rev2)
    }

    /// UID EXPUNGE, COPYUID and APPENDUID (RFC 4315). Without UID EXPUNGE, messages that others marked as \Deleted would
    /// go along.
    pub(crate) const fn has_uidplus(self) -> bool {
        self.has(Word::UidPlus) || self.has(Word::Imap4Rev2)
    }

    /// ESEARCH (RFC 4731).
    pub(crate) const fn has_esearch(self) -> bool {
        self.has(Word::Esearch) || self.has(Word::Imap4Rev2)
    }

    /// SORT (RFC 5256).
    pub(crate) const fn can_sort(self) -> bool {
        self.has(Word::Sort)
    }

    /// THREAD by References (RFC 5256).
    pub(crate) const fn can_thread(self) -> bool {
        self.has(Word::ThreadReferences)
    }

    /// EMAILID and THREADID (RFC 8474).
    pub(crate) const fn has_object_ids(self) -> bool {
        self.has(Word::ObjectId)
    }

    /// Parts decoded by the server (RFC 3516).
    pub(crate) const fn has_binary(self) -> bool {
        self.has(Word::Binary)
    }

    /// LIST with options (RFC 5258).
    pub(crate) const fn has_extended_list(self) -> bool {
        self.has(Word::ListExtended)
    }

    /// STATUS within LIST (RFC 5819).
    pub(crate) const fn has_list_status(self) -> bool {
        self.has(Word::ListStatus)
    }

    /// Roles of folders by attribute (RFC 6154).
    pub(crate) const fn has_special_use(self) -> bool {
        self.has(Word::SpecialUse)
    }

    /// Whose folders are where (RFC 2342).
    pub(crate) const fn has_namespaces(self) -> bool {
        self.has(Word::Namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &[&str]) -> Capabilities {
        Capabilities::of(&list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_server_can_what_it_lists_and_what_its_revision_implies() {
        let none = of(&[]);
        assert!(!none.can_move() && !none.has_uidplus() && !none.has_esearch() && !none.takes_plain());
        let newer = of(&["IMAP4REV2"]);
        assert!(newer.can_move() && newer.has_uidplus() && newer.has_esearch());
        assert!(!newer.can_sort() && !newer.has_id());
        let listed = of(&["X-UNKNOWN", "MOVE", "THREAD=REFERENCES", "AUTH=PLAIN", "LITERAL-"]);
        assert!(listed.can_move() && listed.can_thread() && listed.takes_plain() && !listed.has_uidplus());
        assert!(listed.takes_literal_unasked(4_096) && !listed.takes_literal_unasked(4_097));
        assert!(of(&["LITERAL+"]).takes_literal_unasked(u64::MAX));
    }

    #[test]
    fn each_word_has_a_place_of_its_own() {
        for (place, (spelled, word)) in SPELLED.iter().enumerate() {
            assert_eq!(of(&[spelled]).words, 1 << place, "{word:?}");
        }
    }

    #[test]
    fn a_limit_of_messages_is_read_and_nonsense_is_none() {
        assert_eq!(of(&["MESSAGELIMIT=1000"]).message_limit(), 1_000);
        assert_eq!(of(&["MESSAGELIMIT=0"]).message_limit(), usize::MAX);
        assert_eq!(of(&["MESSAGELIMIT=x"]).message_limit(), usize::MAX);
    }
}
