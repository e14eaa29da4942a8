//! What the server can do wrong, by name.

/// How a FETCH is refused for the sake of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuses {
    /// The others come, then NO.
    LeavesOut,
    /// It ends with NO where that message would come.
    Stops,
}

/// How a server decodes a part (RFC 3516), or fails to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decodes {
    /// The connection ends.
    Drops,
    /// The connection ends behind the announcement of octets.
    DropsHalfWay,
    /// OK, and nothing of the part.
    LeavesOut,
    /// NIL.
    Nil,
    /// No octets.
    Empty,
    /// BAD.
    Misunderstands,
    /// As it should be.
    Well,
    /// As it should be, under the name of the request.
    AsAsked,
}

/// What the server does wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lie {
    /// SEARCH finds every message, whatever it is asked.
    SearchesAll,
    /// Days of SEARCH begin so many hours after those of UTC.
    Zone(i64),
    /// SEARCH finds nothing.
    SearchesNothing,
    /// SEARCH finds these UIDs.
    SearchesFor(Vec<u32>),
    /// MOVE is OK and does nothing.
    MovesNothing,
    /// MOVE is OK, names new places, and does nothing.
    MovesOnPaper,
    /// MOVE is done, and nobody is told what vanished.
    MovesWithoutWord,
    /// MOVE copies, removes nothing, and is refused.
    MovesHalfWay,
    /// COPY is OK and does nothing.
    CopiesNothing,
    /// COPYUID names messages nobody asked for.
    CopyUidOfOthers,
    /// COPYUID has more new UIDs than old ones.
    CopyUidTooLong,
    /// COPYUID names one new UID twice.
    CopyUidTwice,
    /// COPYUID names the first message only.
    CopyUidOfOne,
    /// STORE is OK and does nothing.
    StoresNothing,
    /// STORE is OK, shows the new flags, and does nothing.
    StoresOnPaper,
    /// UID EXPUNGE is OK and removes nothing.
    ExpungesNothing,
    /// Folders are opened read-only, and changes are OK and do nothing.
    ReadOnly,
    /// A message that no FETCH of a summary gives, how, and with which code.
    Unfetchable(u32, Refuses, &'static str),
    /// Commands come to so many messages, the highest (RFC 9738).
    Limits(usize),
    /// A message comes with every NOOP.
    Arrives,
    /// EXISTS jumps up and down with every command.
    Jumps,
    /// UIDVALIDITY changes with this command.
    Rebuilds(&'static str),
    /// Nothing is said to this command.
    Silent(&'static str),
    /// Nothing is said to this command, which is obeyed.
    Mutes(&'static str),
    /// The connection ends at this command, which is obeyed.
    Dies(&'static str),
    /// The connection ends at this command, which is not obeyed.
    Drops(&'static str),
    /// The connection ends behind the answer to this command.
    HangsUp(&'static str),
    /// NO to this command, which is obeyed for the first half of its messages.
    Halves(&'static str),
    /// Another program removes the first message of the folder before this command, once.
    Vanishes(&'static str),
    /// NO to this command, with this code.
    Refuses(&'static str, &'static str),
    /// BAD to this command.
    Misunderstands(&'static str),
    /// Messages nobody asked for are told of with every command.
    TellsOfOthers,
    /// Untagged lines without end come with this command.
    Floods(&'static str),
    /// An item of a FETCH is told in these words, its name included.
    Tells(&'static str, String),
    /// A folder whose name is this on the wire is spelled, and known, only like that.
    Spells(&'static str, &'static str),
    /// CREATE and RENAME are refused without a reason.
    RefusesNames,
    /// Parts are decoded so; without this, the server says that it cannot.
    Decodes(Decodes),
    /// Lists nested without end come with this command.
    Nests(&'static str),
}

impl Lie {
    /// Those about changes that are of no command; none of them makes anybody wait.
    pub const OF_CHANGES: [Self; 16] = [
        Self::MovesNothing,
        Self::MovesOnPaper,
        Self::MovesWithoutWord,
        Self::MovesHalfWay,
        Self::CopiesNothing,
        Self::CopyUidOfOthers,
        Self::CopyUidTooLong,
        Self::CopyUidTwice,
        Self::CopyUidOfOne,
        Self::StoresNothing,
        Self::StoresOnPaper,
        Self::ExpungesNothing,
        Self::ReadOnly,
        Self::Arrives,
        Self::Jumps,
        Self::TellsOfOthers,
    ];
}
