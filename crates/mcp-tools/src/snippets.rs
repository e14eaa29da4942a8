//! `snippets` of lists: the first words of each message, where they are asked for.

use crate::{
    arguments::{Arguments, Flag},
    error::ToolError,
};
use futures_util::future::join_all;
use imapmcp_core::mail::{FolderName, Summary};
use imapmcp_organizing::{Opened, snippets};
use std::collections::HashMap;

/// Whether lines of a list have a `snippet`.
pub(crate) const SNIPPETS: Flag = Flag::off("snippets", "true");

/// Messages of one folder whose first words are wanted; `place` tells folders apart.
pub(crate) struct Listed<'a> {
    pub(crate) place: usize,
    pub(crate) opened: &'a Opened,
    pub(crate) folder: &'a FolderName,
    pub(crate) uid_validity: u32,
    pub(crate) messages: Vec<&'a Summary>,
}

/// First words by place and UID. A list that does not fit is asked for again, and they are not.
#[derive(Default)]
pub(crate) struct Snippets(HashMap<(usize, u32), Option<String>>);

impl Snippets {
    /// Reads those that are wanted and not known, all folders at once; returns the places where that failed.
    pub(crate) async fn read(
        &mut self,
        arguments: &Arguments,
        lists: Vec<Listed<'_>>,
    ) -> Vec<(usize, ToolError)> {
        if !arguments.get(&SNIPPETS) {
            return Vec::new();
        }
        let lists = lists.into_iter().map(|mut list| {
            list.messages.retain(|message| !self.0.contains_key(&(list.place, message.uid)));
            list
        });
        let lists: Vec<Listed<'_>> = lists.filter(|list| !list.messages.is_empty()).collect();
        let reads = lists.iter().map(|list| {
            let Listed { opened, folder, uid_validity, messages, .. } = list;
            snippets::of(opened, folder, *uid_validity, messages)
        });
        let mut failed = Vec::new();
        for (list, read) in lists.iter().zip(join_all(reads).await) {
            let mut words = read.unwrap_or_else(|error| {
                failed.push((list.place, ToolError::from(error)));
                HashMap::new()
            });
            let known = list.messages.iter().map(|message| message.uid);
            self.0.extend(known.map(|uid| ((list.place, uid), words.remove(&uid))));
        }
        failed
    }

    /// Of a message.
    pub(crate) fn of(&self, place: usize, uid: u32) -> Option<&str> {
        self.0.get(&(place, uid))?.as_deref()
    }
}
