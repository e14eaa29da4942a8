//! SEARCH: the newest matches, by ESEARCH where offered (RFC 4731).

use super::{
    command::Command,
    fault::Fault,
    response::{Data, Kind},
    session::Session,
    sets::Set,
};
use imapmcp_core::mail::{Criterion, Listing, MailError, Page, PageCursor};

impl Session {
    /// The newest matches below the page's cursor.
    pub(crate) fn search(
        &mut self,
        folder: &str,
        criterion: &Criterion,
        page: &Page,
        limit: u32,
    ) -> Result<Listing, Fault> {
        let unicode = !is_ascii(criterion);
        let extended = self.offers("ESEARCH") || self.offers("IMAP4REV2");
        let mut command =
            Command::new(if extended { "UID SEARCH RETURN (COUNT ALL) " } else { "UID SEARCH " });
        if unicode {
            command = command.raw("CHARSET UTF-8 ");
        }
        let command = compile(command, criterion);
        let mut batch = self.run(vec![self.enter(folder), command.clone()])?;
        let selected = self.entered(&batch, page.after.map(|cursor| cursor.uid_validity))?;
        if batch.news {
            // Messages came or went, and the server may have searched before it looked.
            batch = self.run(vec![Command::new("NOOP"), command])?;
        }
        let status = batch.statuses.get(1).ok_or(Fault::PROTOCOL)?;
        // RFC 9051 §6.4.4: BADCHARSET; some say BAD outright.
        let charset = status.kind == Kind::Bad || status.condition() == Some("BADCHARSET");
        if unicode && status.kind != Kind::Ok && charset {
            return Err(Fault::Said(MailError::Invalid("this mail server can only search for ASCII text")));
        }
        batch.check(1)?;
        let (mut total, mut all) = (None, Set::default());
        for item in batch.items {
            match item {
                Data::Esearch { count, all: set } => (total, all) = (count, set),
                Data::Search(uids) => all.0.extend(uids.into_iter().map(|uid| (uid, uid))),
                _ => {}
            }
        }
        let below = page.after.map_or(u32::MAX, |cursor| cursor.uid);
        let (uids, more) = all.highest(below, limit as usize);
        let uid_validity = selected.uid_validity;
        let next =
            uids.last().filter(|_| more).map(|uid| PageCursor { uid_validity, uid: *uid, sequence: 0 });
        let messages = self.summaries(&uids)?;
        Ok(Listing { uid_validity, total: total.unwrap_or_else(|| all.len()), messages, next })
    }
}

/// Whether the server may take long: no server keeps an index of bodies for certain.
pub(crate) fn reads_bodies(criterion: &Criterion) -> bool {
    match criterion {
        Criterion::And(all) => all.iter().any(reads_bodies),
        Criterion::Or(a, b) => reads_bodies(a) || reads_bodies(b),
        Criterion::Not(one) => reads_bodies(one),
        Criterion::Body(_) | Criterion::Text(_) => true,
        _ => false,
    }
}

fn is_ascii(criterion: &Criterion) -> bool {
    match criterion {
        Criterion::And(all) => all.iter().all(is_ascii),
        Criterion::Or(a, b) => is_ascii(a) && is_ascii(b),
        Criterion::Not(one) => is_ascii(one),
        Criterion::From(text)
        | Criterion::To(text)
        | Criterion::Cc(text)
        | Criterion::Subject(text)
        | Criterion::Body(text)
        | Criterion::Text(text)
        | Criterion::Header(_, text) => text.is_ascii(),
        Criterion::Since(_)
        | Criterion::Before(_)
        | Criterion::Unseen
        | Criterion::Seen
        | Criterion::Flagged
        | Criterion::Larger(_) => true,
    }
}

/// Writes a criterion (RFC 9051 `search-key`); its depth is bounded by `wire_text::criterion`.
fn compile(command: Command, criterion: &Criterion) -> Command {
    match criterion {
        Criterion::And(all) => {
            let Some((first, rest)) = all.split_first() else { return command.raw("ALL") };
            let command = compile(command.raw("("), first);
            rest.iter().fold(command, |command, one| compile(command.raw(" "), one)).raw(")")
        }
        Criterion::Or(a, b) => compile(compile(command.raw("OR "), a).raw(" "), b),
        Criterion::Not(one) => compile(command.raw("NOT "), one),
        Criterion::From(text) => command.raw("FROM ").string(text),
        Criterion::To(text) => command.raw("TO ").string(text),
        Criterion::Cc(text) => command.raw("CC ").string(text),
        Criterion::Subject(text) => command.raw("SUBJECT ").string(text),
        Criterion::Body(text) => command.raw("BODY ").string(text),
        Criterion::Text(text) => command.raw("TEXT ").string(text),
        Criterion::Header(name, text) => command.raw("HEADER ").string(name).raw(" ").string(text),
        Criterion::Since(day) => command.raw("SINCE ").date(*day),
        Criterion::Before(day) => command.raw("BEFORE ").date(*day),
        Criterion::Unseen => command.raw("UNSEEN"),
        Criterion::Seen => command.raw("SEEN"),
        Criterion::Flagged => command.raw("FLAGGED"),
        Criterion::Larger(octets) => command.raw("LARGER ").number(*octets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_criterion_is_spelled_by_the_grammar() {
        let criterion = Criterion::And(vec![
            Criterion::Or(Box::new(Criterion::From("a\"b".into())), Box::new(Criterion::Unseen)),
            Criterion::Not(Box::new(Criterion::Header("List-Id", "x".into()))),
            Criterion::Subject("ü".into()),
        ]);
        let command = compile(Command::new(""), &criterion);
        assert_eq!(command.texts, [r#"(OR FROM "a\"b" UNSEEN NOT HEADER "List-Id" "x" SUBJECT "#, ")"]);
        assert_eq!(command.literals[0], "ü");
        assert!(!is_ascii(&criterion) && !reads_bodies(&criterion));
        assert_eq!(compile(Command::new(""), &Criterion::And(vec![])).texts, ["ALL"]);
    }
}
