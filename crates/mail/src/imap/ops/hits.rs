//! What a server finds: SEARCH, by ESEARCH where offered (RFC 4731).

use super::criteria::{Dialect, is_ascii, unsayable, write_all};
use crate::imap::{
    connection::{selected::Selected, session::Session},
    wire::{
        command::Command,
        fault::Fault,
        response::{Code, Data, Kind, Status},
        sets::Set,
    },
};
use imapmcp_core::mail::{Criterion, Page, PageCursor};

/// Further searches where a server stops early.
const MAX_LIMITED: u32 = 20;

/// What a server found.
pub(crate) struct Hits {
    /// Of the last command.
    pub(crate) status: Status,
    pub(crate) all: Set,
    /// Whether it searched the whole folder.
    pub(crate) exact: bool,
}

impl Session {
    /// Enters the folder and searches, in one write; goes on where a server stops early (RFC 9738 §3.1).
    pub(crate) async fn find(
        &mut self,
        folder: &str,
        criterion: &Criterion,
        page: &Page,
        dialect: Dialect,
    ) -> Result<(Selected, Hits), Fault> {
        if let Some(error) = unsayable(criterion, dialect) {
            return Err(Fault::Said(error));
        }
        let extended = self.capabilities.has_esearch();
        let command = |below: Option<u32>| {
            let mut command =
                Command::new(if extended { "UID SEARCH RETURN (COUNT ALL) " } else { "UID SEARCH " });
            if !dialect.ascii_only && !is_ascii(criterion) {
                command = command.raw("CHARSET UTF-8 ");
            }
            if let Some(below) = below {
                command = command.raw("UID 1:").number(below).raw(" ");
            }
            write_all(command, criterion, dialect)
        };
        let mut batch = self.run(vec![self.enter(folder), command(None)]).await?;
        let selected = self.entered(&batch, page.after.map(|cursor| cursor.uid_validity))?;
        if batch.news {
            // Messages came or went, and the server may have searched before it looked.
            batch = self.run(vec![Command::new("NOOP"), command(None)]).await?;
        }
        let mut status = batch.statuses.pop().ok_or(Fault::PROTOCOL)?;
        let mut all = hits_of(batch.items);
        let (mut lowest, mut rounds) = (u32::MAX, 0);
        while let Some(Code::MessageLimit(_, Some(uid))) = status.code
            && status.kind == Kind::Ok
            && (2..lowest).contains(&uid)
        {
            if rounds == MAX_LIMITED {
                return Ok((selected, Hits { status, all, exact: false }));
            }
            (lowest, rounds) = (uid, rounds + 1);
            let mut batch = self.run(vec![command(Some(uid - 1))]).await?;
            status = batch.statuses.pop().ok_or(Fault::PROTOCOL)?;
            all.0.extend(hits_of(batch.items).0);
        }
        Ok((selected, Hits { status, all, exact: true }))
    }
}

/// The hits among some responses. A long list comes in pieces, and a count says nothing that they do not say.
pub(crate) fn hits_of(items: Vec<Data>) -> Set {
    let mut all = Set::default();
    for item in items {
        match item {
            Data::Esearch(set) => all.0.extend(set.0),
            Data::Search(uids) => {
                for uid in uids {
                    all.push(uid);
                }
            }
            _ => {}
        }
    }
    all
}

/// UIDs of the page are lower.
pub(crate) fn below(page: &Page) -> u32 {
    page.after.map_or(u32::MAX, |cursor| cursor.uid)
}

pub(crate) fn cursor(uid_validity: u32, uid: u32) -> PageCursor {
    PageCursor { uid_validity, uid, sequence: 0, date: None }
}
