//! The first words of messages of a list: one more round trip for all of them.

use crate::{Opened, text::TextError};
use bytes::Bytes;
use imapmcp_core::mail::{Beginning, FolderName, Part, Summary};
use imapmcp_mime::snippet;
use std::collections::HashMap;

/// Octets of texts that are read for one list: the messages further down have no snippet.
const MOST: u64 = 2 << 20;

/// Of these messages of a folder, by UID; those without words, or whose words cannot be told from so little, have none.
pub async fn of(
    opened: &Opened,
    folder: &FolderName,
    uid_validity: u32,
    messages: &[&Summary],
) -> Result<HashMap<u32, String>, TextError> {
    let mut left = MOST;
    let mut texts: Vec<(u32, Vec<(Part, u32)>)> = Vec::new();
    for message in messages {
        let parts = snippet::wanted(&message.parts);
        let octets = parts.iter().map(|(part, limit)| part.size.min(u64::from(*limit))).sum();
        let Some(rest) = left.checked_sub(octets) else { break };
        left = rest;
        texts.push((message.uid, parts.into_iter().map(|(part, limit)| (part.clone(), limit)).collect()));
    }
    let beginning = |uid, part: &Part, octets| Beginning { section: part.section.clone(), octets, uid };
    let wanted: Vec<Beginning> = texts
        .iter()
        .flat_map(|(uid, parts)| parts.iter().map(|(part, octets)| beginning(*uid, part, *octets)))
        .collect();
    let came: HashMap<Beginning, Bytes> =
        opened.mailbox.beginnings(folder, uid_validity, &wanted).await?.into_iter().collect();
    let work = move || {
        let told = texts.iter().filter_map(|(uid, parts)| {
            let have = parts.iter().filter_map(|(part, octets)| {
                came.get(&beginning(*uid, part, *octets)).map(|octets| (part, &octets[..]))
            });
            Some((*uid, snippet::of(&have.collect::<Vec<_>>())?))
        });
        told.collect()
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| TextError::Broken(error.to_string()))
}
