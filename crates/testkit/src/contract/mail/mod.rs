//! What every mailbox promises.

mod changing;
mod frugal;
mod listing;
mod managing;
mod moving;
mod reading;
mod refusing;
mod searching;
mod threads;

use imapmcp_core::{
    mail::{Criterion, Flag, Listing, Mailbox, MessageRef, Page, PageCursor},
    time::Timestamp,
};

pub use frugal::{Counted, round_trips_are_few};

/// Folders with difficult names that the mailbox must have, empty, besides INBOX and those with roles.
pub const FOLDERS: [&str; 4] = ["Entwürfe & Pläne", "With \"quotes\" \\ slash", "日本語", "Has space"];

/// A mailbox under test.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// The mailbox. Its INBOX and [`FOLDERS`] are empty.
    pub mailbox: &'a dyn Mailbox,
    /// Puts a message into a folder as one that arrived at that time, past the mailbox: folder, message, time.
    pub deliver: &'a (dyn Fn(&str, &str, Timestamp) + Sync),
    /// What the server behind it can do.
    pub abilities: Abilities,
}

/// What a server may or may not be able to do; the answers are the same, or say that they are not.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each may be lacking by itself")]
pub struct Abilities {
    /// It says where copies land, and removes exactly what it is told to (UIDPLUS).
    pub uidplus: bool,
    /// It searches for texts in any script.
    pub unicode: bool,
    /// It ties replies that name no message to a conversation by their subject.
    pub subjects: bool,
    /// Names of its folders may hold quotes and backslashes.
    pub quotes: bool,
}

impl Abilities {
    /// All of it.
    pub const ALL: Self = Self { uidplus: true, unicode: true, subjects: true, quotes: true };

    /// Whether a folder can be called so.
    pub fn names(self, folder: &str) -> bool {
        self.quotes || !folder.contains(['"', '\\'])
    }
}

/// Runs every promise.
pub async fn mailbox(stage: Stage<'_>) {
    reading::folders_have_roles_and_counts(stage).await;
    reading::an_appended_message_is_read_back(stage).await;
    reading::beginnings_of_several_messages_come_together(stage.mailbox).await;
    reading::difficult_names_are_just_names(stage).await;
    listing::paging_loses_and_doubles_nothing(stage.mailbox).await;
    listing::the_newest_come_first_whatever_their_uids(stage).await;
    listing::envelopes_are_gone_through_page_by_page(stage.mailbox).await;
    changing::flags_change_as_reported(stage.mailbox).await;
    changing::what_arrived_a_moment_ago_can_be_changed(stage).await;
    changing::a_message_is_appended_as_it_is_read(stage.mailbox).await;
    searching::searches_find_what_matches(stage).await;
    searching::attachments_are_found_and_paged(stage.mailbox).await;
    reading::parts_are_streamed_decoded(stage.mailbox).await;
    moving::copies_and_moves_happen_as_reported(stage).await;
    moving::nothing_is_lost_when_a_move_is_refused(stage).await;
    moving::only_what_was_named_is_removed(stage).await;
    moving::a_message_that_was_moved_is_found_again(stage).await;
    managing::folders_are_made_renamed_and_deleted(stage).await;
    threads::a_conversation_is_found_whole_from_anywhere(stage).await;
    threads::subjects_tie_only_replies(stage).await;
    refusing::what_is_not_there_is_said_so(stage.mailbox).await;
    refusing::injections_are_invalid(stage.mailbox).await;
}

const SIMPLE: &str = "From: \"Ada L\" <ada@example.org>\r\nTo: Bob <bob@example.net>, c@example.com\r\n\
    Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <one@example.org>\r\n\
    In-Reply-To: <zero@example.org>\r\nX-Ticket: contract-7\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHello caf=C3=A9 plover\r\n";

const MULTIPART: &str = "From: ada@example.org\r\nTo: bob@example.net\r\nSubject: parts\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=\"out er\"\r\n\r\n--out er\r\n\
    Content-Type: multipart/alternative; boundary=inner\r\n\r\n--inner\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\r\nsoft=\r\n break caf=C3=A9=20\r\nend\r\n--inner\r\n\
    Content-Type: text/html\r\n\r\n<p>hi</p>\r\n--inner--\r\n--out er\r\n\
    Content-Type: application/octet-stream; name=\"a b.bin\"\r\n\
    Content-Disposition: attachment; filename=\"a b.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n@@\r\n--out er--\r\n";

fn page(limit: u32, after: Option<PageCursor>) -> Page {
    Page { limit, after }
}

/// Appends a message; where the server does not say where it landed, that is looked up.
async fn append(mailbox: &dyn Mailbox, folder: &str, message: &str, flags: &[Flag]) -> MessageRef {
    if let Some(at) = mailbox.append(&folder.into(), message.to_owned().into(), flags).await.unwrap() {
        return at;
    }
    let all = mailbox.search(&folder.into(), &Criterion::And(vec![]), &page(1, None)).await.unwrap();
    let folder = if folder.eq_ignore_ascii_case("INBOX") { "INBOX" } else { folder };
    MessageRef { folder: folder.into(), uid_validity: all.uid_validity, uid: all.messages[0].uid }
}

async fn newest(mailbox: &dyn Mailbox, folder: &str) -> Listing {
    mailbox.list(&folder.into(), &page(50, None)).await.unwrap()
}

async fn find(mailbox: &dyn Mailbox, folder: &str, criterion: Criterion) -> Vec<u32> {
    let found = mailbox.search(&folder.into(), &criterion, &page(200, None)).await.unwrap();
    assert_eq!(found.total as usize, found.messages.len());
    found.messages.into_iter().map(|message| message.uid).collect()
}

fn uids(listing: &Listing) -> Vec<u32> {
    listing.messages.iter().map(|message| message.uid).collect()
}

fn base64_lines(octets: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let lines: Vec<_> = octets.chunks(57).map(|line| STANDARD.encode(line)).collect();
    lines.join("\r\n")
}
