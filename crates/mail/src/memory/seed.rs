//! The demonstration messages: written by a small generator, the same every time for the same clock.

mod texts;

use self::texts::{NEWSLETTERS, PEOPLE, SHOPS, THREADS};
use super::{pdf, store::Store};
use base64::{Engine, engine::general_purpose::STANDARD};
use imapmcp_core::time::Timestamp;
use imapmcp_mime::compose::encoded_words;
use std::fmt::Write;

/// Whose mailbox it is, if the login says nothing better.
pub(super) const OWNER: &str = "demo@example.com";
const OWNER_NAME: &str = "Demo User";

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A repeatable sequence of numbers (Knuth's MMIX constants); variety, not secrecy.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }
}

/// A message to be.
struct Draft {
    folder: &'static str,
    at: Timestamp,
    flags: Vec<&'static str>,
    from: (String, String),
    to: (String, String),
    subject: String,
    message_id: String,
    references: Vec<String>,
    extra: String,
    text: String,
    html: Option<String>,
    attachment: Option<(String, &'static str, Vec<u8>)>,
}

struct Seeder<'a> {
    owner: &'a str,
    now: Timestamp,
    dice: Dice,
    drafts: Vec<Draft>,
}

/// Fills the folders.
pub(super) fn fill(store: &mut Store, owner: &str, now: Timestamp) {
    let mut seeder = Seeder { owner, now, dice: Dice(42), drafts: Vec::new() };
    for round in 0..2 {
        seeder.threads(round);
    }
    seeder.newsletters();
    seeder.receipts();
    seeder.notices();
    seeder.rest();
    seeder.drafts.sort_by_key(|draft| draft.at);
    for draft in &seeder.drafts {
        // Seven folders that exist and two hundred small messages: neither NoFolder nor OVERQUOTA can come back.
        let _ = store.add(&draft.folder.into(), draft.octets().into(), &draft.flags, draft.at);
    }
}

impl Seeder<'_> {
    fn person(&mut self) -> (String, String) {
        let (name, email) = PEOPLE[self.dice.roll(PEOPLE.len())];
        (name.to_owned(), email.to_owned())
    }

    fn draft(&mut self, folder: &'static str, age: i64, from: (String, String), subject: &str) -> &mut Draft {
        let number = self.drafts.len();
        let flags = if age > 3 * DAY { vec!["\\Seen"] } else { vec![] };
        self.drafts.push(Draft {
            folder,
            at: self.now.plus_seconds(-age),
            flags,
            message_id: format!("<{number}.{}@mail.example>", subject.len()),
            to: (OWNER_NAME.to_owned(), self.owner.to_owned()),
            from,
            subject: subject.to_owned(),
            references: vec![],
            extra: String::new(),
            text: String::new(),
            html: None,
            attachment: None,
        });
        &mut self.drafts[number]
    }

    /// The second round is last year's: the same topics in the archive.
    fn threads(&mut self, round: i64) {
        for (index, (subject, turns)) in (0i64..).zip(THREADS) {
            let partner = self.person();
            let owner = (OWNER_NAME.to_owned(), self.owner.to_owned());
            let mut references: Vec<String> = Vec::new();
            for (turn, text) in turns.iter().enumerate() {
                let mine = turn % 2 == 1;
                let step = i64::try_from(turn).unwrap_or_default();
                let age = round * 300 * DAY + (index * 3 + 1) * DAY + HOUR - step * 5 * HOUR;
                let folder = match (mine, round) {
                    (true, _) => "Sent",
                    (false, 0) if index % 4 == 1 => "Projects",
                    (false, 0) => "INBOX",
                    (false, _) => "Archive",
                };
                let (from, to) =
                    if mine { (owner.clone(), partner.clone()) } else { (partner.clone(), owner.clone()) };
                let first = from.0.split(' ').next().unwrap_or_default().to_owned();
                let title = if turn == 0 { subject.to_owned() } else { format!("Re: {subject}") };
                let last = turn + 1 == turns.len();
                let draft = self.draft(folder, age, from, &title);
                draft.to = to;
                draft.references.clone_from(&references);
                draft.text = format!("{text}\n\n-- \n{first}\n");
                if mine {
                    draft.flags = vec!["\\Seen"];
                } else if !last {
                    draft.flags = vec!["\\Seen", "\\Answered"];
                }
                if text.contains("attach") {
                    draft.attachment = Some(picture_or_contract(subject));
                }
                references.push(draft.message_id.clone());
            }
        }
    }

    fn newsletters(&mut self) {
        for issue in 0i64..9 {
            for (index, (name, email, topic)) in (0i64..).zip(NEWSLETTERS) {
                let number = 120 - issue;
                let subject = format!("{name} #{number}: {topic}");
                let folder = if issue < 5 { "INBOX" } else { "Archive" };
                let age = issue * 7 * DAY + index * 9 * HOUR + 2 * HOUR;
                let draft = self.draft(folder, age, (name.to_owned(), email.to_owned()), &subject);
                let link = format!("https://{}/unsubscribe?u=demo&i={number}", domain(email));
                draft.extra = format!(
                    "List-Id: {name} <{}>\r\nList-Unsubscribe: <{link}>, <mailto:{email}?subject=unsubscribe>\r\n\
                     List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: bulk\r\n",
                    domain(email)
                );
                draft.text = format!("{topic}\n\nRead issue {number} on our site.\nUnsubscribe: {link}\n");
                draft.html = Some(format!(
                    "<html><body><h1>{topic}</h1><p>Issue <b>{number}</b> of {name}: a long read, two short ones and a \
                     puzzle.</p><table><tr><td>Long read</td><td>12 min</td></tr><tr><td>Puzzle</td><td>3 \
                     min</td></tr></table><img src=\"https://{}/open.gif?i={number}\" width=\"1\" \
                     height=\"1\"><p><a href=\"{link}\">Unsubscribe</a></p></body></html>",
                    domain(email)
                ));
            }
        }
    }

    fn receipts(&mut self) {
        for order in 0i64..28 {
            let (name, email, item) = SHOPS[self.dice.roll(SHOPS.len())];
            let euros = 8 + self.dice.roll(190);
            let subject = format!("Your receipt from {name} (order {})", 73_100 + order);
            let folder = if order < 16 { "INBOX" } else { "Archive" };
            let draft =
                self.draft(folder, order * 4 * DAY + 5 * HOUR, (name.to_owned(), email.to_owned()), &subject);
            draft.text = format!("Thank you for your order.\n\n1 x {item}\nTotal: {euros}.00 EUR\n");
            let (receipt, total) = (format!("Receipt {}", 73_100 + order), format!("Total: {euros}.00 EUR"));
            let page = pdf::page(&[name, &receipt, &format!("1 x {item}"), &total]);
            draft.attachment = Some((format!("receipt-{}.pdf", 73_100 + order), "application/pdf", page));
        }
    }

    fn notices(&mut self) {
        for day in 0i64..26 {
            let (subject, text) = match self.dice.roll(4) {
                0 => (
                    "[ci] Build failed on main",
                    "Step `test` failed: 1 of 842 tests. See the log for details.",
                ),
                1 => ("[ci] Build passed on main", "All 842 tests passed in 3 min 12 s."),
                2 => ("Security alert: new sign-in", "A new sign-in from Firefox on Linux. Was this you?"),
                _ => ("Reminder: stand-up at 09:30", "Stand-up starts in 15 minutes in the usual room."),
            };
            let from = ("Notifications".to_owned(), "no-reply@notify.example".to_owned());
            let draft = self.draft("INBOX", day * 2 * DAY + 7 * HOUR, from, subject);
            text.clone_into(&mut draft.text);
            if subject.starts_with("Security") {
                draft.flags.push("\\Flagged");
            }
            "Auto-Submitted: auto-generated\r\n".clone_into(&mut draft.extra);
        }
    }

    fn rest(&mut self) {
        let owner = (OWNER_NAME.to_owned(), self.owner.to_owned());
        for (age, subject) in
            [(1, "Thoughts on the roadmap"), (4, "Birthday plans"), (9, "Letter to the landlord")]
        {
            let draft = self.draft("Drafts", age * DAY, owner.clone(), subject);
            "Not finished yet.\n".clone_into(&mut draft.text);
            draft.flags = vec!["\\Seen", "\\Draft"];
        }
        for number in 0i64..10 {
            let from = ("Lucky Winner Office".to_owned(), format!("claim{number}@prize.example"));
            let draft =
                self.draft("Junk", number * 3 * DAY + HOUR, from, "You have WON! Claim your prize today");
            "Send us your bank details at once to receive 1,000,000 USD.\n".clone_into(&mut draft.text);
        }
        for number in 0i64..8 {
            let from = self.person();
            let subject = format!("Old notes, part {}", number + 1);
            let draft = self.draft("Trash", (20 + number) * DAY, from, &subject);
            "Nothing of importance.\n".clone_into(&mut draft.text);
        }
        for number in 0i64..16 {
            let from = self.person();
            let subject = format!("Status report, week {}", 46 - number);
            let draft = self.draft("Projects", number * 7 * DAY + 3 * HOUR, from, &subject);
            draft.text = format!("Done: {} tickets. Next: the search page. Blocked: nothing.\n", 5 + number);
            let csv = format!("ticket,state\nP-{},done\nP-{},open\n", 100 + number, 101 + number);
            draft.attachment = Some((format!("week-{}.csv", 46 - number), "text/csv", csv.into_bytes()));
        }
    }
}

fn domain(email: &str) -> &str {
    email.rsplit('@').next().unwrap_or_default()
}

fn picture_or_contract(subject: &str) -> (String, &'static str, Vec<u8>) {
    if subject.starts_with("Photos") {
        let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
        ("above the clouds.png".to_owned(), "image/png", STANDARD.decode(pixel).unwrap_or_default())
    } else {
        (
            "Vertrag (unterschrieben).pdf".to_owned(),
            "application/pdf",
            pdf::page(&["Contract", "Signed by both parties on every page."]),
        )
    }
}

impl Draft {
    fn octets(&self) -> Vec<u8> {
        let mut out = String::new();
        let mailbox = |(name, email): &(String, String)| {
            let name = if name.is_ascii() { format!("\"{name}\"") } else { encode_words(name) };
            format!("{name} <{email}>")
        };
        let _ = write!(
            out,
            "Message-ID: {}\r\nDate: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\n",
            self.message_id,
            self.at.to_rfc2822(),
            mailbox(&self.from),
            mailbox(&self.to),
            encode_words(&self.subject)
        );
        if let Some(parent) = self.references.last() {
            let _ = write!(out, "In-Reply-To: {parent}\r\nReferences: {}\r\n", self.references.join("\r\n "));
        }
        let _ = write!(out, "{}MIME-Version: 1.0\r\n", self.extra);
        out.push_str(&self.mixed());
        out.into_bytes()
    }

    fn mixed(&self) -> String {
        let Some((name, media_type, octets)) = &self.attachment else { return self.alternative() };
        format!(
            "Content-Type: multipart/mixed; boundary=\"=_mixed\"\r\n\r\n--=_mixed\r\n{}\r\n--=_mixed\r\n\
             Content-Type: {media_type}; name=\"{name}\"\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--=_mixed--\r\n",
            self.alternative(),
            lines_of_base64(octets)
        )
    }

    fn alternative(&self) -> String {
        let plain = leaf("plain", &self.text);
        match &self.html {
            None => plain,
            Some(html) => format!(
                "Content-Type: multipart/alternative; boundary=\"=_alt\"\r\n\r\n--=_alt\r\n{plain}\r\n--=_alt\r\n{}\
                 \r\n--=_alt--\r\n",
                leaf("html", html)
            ),
        }
    }
}

fn leaf(kind: &str, text: &str) -> String {
    if text.is_ascii() {
        let text = text.replace('\n', "\r\n");
        return format!("Content-Type: text/{kind}; charset=us-ascii\r\n\r\n{text}");
    }
    format!(
        "Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        lines_of_base64(text.replace('\n', "\r\n").as_bytes())
    )
}

/// A header value as it travels: ASCII stays, anything else becomes encoded words, one a line.
fn encode_words(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { encoded_words(text).replace(' ', "\r\n ") }
}

fn lines_of_base64(octets: &[u8]) -> String {
    octets.chunks(57).fold(String::new(), |mut out, line| {
        out.push_str(&STANDARD.encode(line));
        out.push_str("\r\n");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeded() -> Store {
        let mut store = Store::new();
        fill(&mut store, OWNER, Timestamp::from_rfc3339("2026-11-22T12:00:00Z").unwrap());
        store
    }

    #[test]
    fn the_demonstration_is_some_two_hundred_messages_of_every_kind() {
        let store = seeded();
        let all: Vec<_> = store.folders.iter().flat_map(|folder| &folder.messages).collect();
        assert!((180..260).contains(&all.len()), "{}", all.len());
        assert!(store.folders.iter().all(|folder| !folder.messages.is_empty()));
        assert!(all.iter().filter(|m| !m.envelope.in_reply_to.iter().all(String::is_empty)).count() > 20);
        let leaves = || all.iter().flat_map(|message| &message.leaves);
        assert!(leaves().filter(|leaf| leaf.part.disposition.as_deref() == Some("attachment")).count() > 20);
        assert!(leaves().filter(|leaf| leaf.part.media_type == "text/html").count() > 20);
        assert!(all.iter().any(|message| !message.has("\\Seen")));
        assert!(all.windows(2).any(|pair| pair[0].envelope.subject.as_ref().unwrap().contains("=?utf-8?B?")));
    }

    #[test]
    fn it_is_the_same_every_time() {
        let (one, two) = (seeded(), seeded());
        for (a, b) in one.folders.iter().zip(&two.folders) {
            assert!(a.messages.iter().map(|m| &m.raw).eq(b.messages.iter().map(|m| &m.raw)));
            assert!(a.messages.windows(2).all(|pair| pair[0].internal_date <= pair[1].internal_date));
        }
    }
}
