//! The beginnings of sections of many messages, in one flight.

use crate::{
    imap::{
        connection::session::Session,
        wire::{command::Command, fault::Fault, fetch::Body, framing::Limits, sets::Set, tap::fetches},
    },
    wire_text::stretch,
};
use bytes::Bytes;
use imapmcp_core::mail::Beginning;
use std::collections::BTreeMap;

const TEXT: &str = "TEXT";

impl Session {
    /// One FETCH for each section and length. What the server refuses or does not have is left out.
    pub(crate) async fn beginnings(
        &mut self,
        folder: &str,
        uid_validity: u32,
        wanted: &[Beginning],
    ) -> Result<Vec<(Beginning, Bytes)>, Fault> {
        let mut alike: BTreeMap<(&str, u32), Vec<u32>> = BTreeMap::new();
        for Beginning { section, octets, uid } in wanted {
            alike.entry((section, *octets)).or_default().push(*uid);
        }
        self.spell(folder).await?;
        let mut commands = vec![self.enter(folder)];
        commands.extend(alike.iter().map(|((section, octets), uids)| {
            let fetch = Command::new("UID FETCH ").set(&Set::of(uids));
            fetch.raw(" (UID ").peek(section, Some(*octets)).raw(")")
        }));
        let longest = wanted.iter().map(|one| one.octets).max().unwrap_or_default();
        let batch = self.run_within(commands, Limits::messages(wanted.len(), longest), None).await?;
        self.entered(&batch, Some(uid_validity))?;
        let asked = |uid: u32, section: &str| {
            let same =
                |one: &&Beginning| one.uid == uid && sent_as(&one.section).eq_ignore_ascii_case(section);
            wanted.iter().find(same).cloned()
        };
        // whichever command it came with: Dovecot answers some before it says OK to those before them
        let came = fetches(batch.items).filter_map(|mut fetch| {
            let (body, section) = match (fetch.body.take(), fetch.text.take()) {
                (Some(body), _) => (body, fetch.section.take()?),
                (None, text) => (text?, TEXT.to_owned()),
            };
            let (Body::Octets(mut octets), Some(one)) = (body, asked(fetch.uid?, &section)) else {
                return None;
            };
            octets.truncate(one.octets as usize);
            (!octets.is_empty()).then_some((one, octets))
        });
        Ok(came.collect())
    }
}

/// The section that a command names: a stretch of the text is the text.
fn sent_as(section: &str) -> &str {
    if stretch(section).is_some() { TEXT } else { section }
}
