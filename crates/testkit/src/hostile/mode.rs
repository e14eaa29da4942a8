//! What the server does wrong.

/// What the server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing at all: an empty INBOX.
    Behaves,
    /// Says nothing after the connection is made.
    SilentOnConnect,
    /// Says nothing to the login.
    SilentOnLogin,
    /// Says nothing after the login.
    SilentAfterLogin,
    /// Accepts and closes.
    ClosesOnConnect,
    /// Greets with PREAUTH.
    Preauth,
    /// Answers STARTTLS with more than was asked.
    InjectsBeforeTls,
    /// Does not offer STARTTLS.
    RefusesStartTls,
    /// Greets with BYE.
    ByeAtOnce,
    /// Greets with BYE because of too many connections.
    TooManyConnections,
    /// Refuses the login.
    WrongPassword,
    /// Sends octets that are no IMAP.
    Garbage,
    /// Untagged NO and BAD during SELECT, then goes on as if nothing had been.
    NoInSelect,
    /// BODYSTRUCTURE with 200,000 nested lists.
    NestedLists,
    /// BODYSTRUCTURE with 200,000 lists that are never closed.
    OpenLists,
    /// A line that never ends.
    EndlessLine,
    /// A literal of 4 GB.
    HugeLiteral,
    /// Half a literal, then closes.
    HalfLiteralThenCloses,
    /// Half a literal, then nothing.
    HalfLiteralThenSilent,
    /// BYE in the middle of FETCH.
    ByeMidCommand,
    /// Untagged responses without end.
    EndlessResponses,
    /// A line now and then, for ever.
    Drips,
    /// Completes a command nobody gave.
    WrongTag,
    /// A million small responses.
    MillionResponses,
    /// A message with a million flags.
    MillionTokens,
    /// `+` that nobody asked for.
    StrayContinuation,
    /// Another UIDVALIDITY each time a folder is opened.
    UidValidityChanges,
    /// Takes a STORE and dies.
    DiesAfterStore,
    /// Takes a COPY, a MOVE or an UID EXPUNGE and dies.
    DiesAfterMove,
    /// Takes the whole of an APPEND and dies.
    DiesAfterAppend,
    /// Takes the whole of an APPEND and says nothing.
    SilentAfterAppend,
    /// Refuses to copy and to move.
    RefusesCopies,
    /// Refuses to copy and to move to a folder that is not there.
    NoTarget,
    /// Refuses every FETCH because of too many commands.
    TooManyCommands,
    /// BYE because of too many commands, in the middle of FETCH.
    ByeTooMany,
    /// Closes each connection after one FETCH.
    DropsIdle,
    /// Says BYE after one FETCH, and closes.
    ByeWhenIdle,
    /// Answers the login one octet at a time, for ever.
    DripsLogin,
    /// A message with 900,000 addresses.
    ManyAddresses,
    /// A million hits of a search.
    MillionHits,
    /// A million hits of a search, as ESEARCH tells them.
    MillionHitsInASet,
    /// Says that a folder has as many messages as a number can tell.
    AsManyAsCanBe,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 42] = [
        Self::Behaves,
        Self::SilentOnConnect,
        Self::SilentOnLogin,
        Self::SilentAfterLogin,
        Self::ClosesOnConnect,
        Self::Preauth,
        Self::InjectsBeforeTls,
        Self::RefusesStartTls,
        Self::ByeAtOnce,
        Self::TooManyConnections,
        Self::WrongPassword,
        Self::Garbage,
        Self::NoInSelect,
        Self::NestedLists,
        Self::OpenLists,
        Self::EndlessLine,
        Self::HugeLiteral,
        Self::HalfLiteralThenCloses,
        Self::HalfLiteralThenSilent,
        Self::ByeMidCommand,
        Self::EndlessResponses,
        Self::Drips,
        Self::WrongTag,
        Self::MillionResponses,
        Self::MillionTokens,
        Self::StrayContinuation,
        Self::UidValidityChanges,
        Self::DiesAfterStore,
        Self::DiesAfterMove,
        Self::DiesAfterAppend,
        Self::SilentAfterAppend,
        Self::RefusesCopies,
        Self::NoTarget,
        Self::TooManyCommands,
        Self::ByeTooMany,
        Self::DropsIdle,
        Self::ByeWhenIdle,
        Self::DripsLogin,
        Self::ManyAddresses,
        Self::MillionHits,
        Self::MillionHitsInASet,
        Self::AsManyAsCanBe,
    ];
}
