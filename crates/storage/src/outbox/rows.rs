//! Entries as rows.

use crate::{
    failure::Failure,
    schema::outbox,
    stored_text::{Word, digest, from_json, id, refusals_of, refusals_text, to_json},
};
use diesel::prelude::*;
use imapmcp_core::{
    outbox::{Hold, Lease, OutboxEntry, OutboxState, Trouble},
    secret::Sealed,
    time::Timestamp,
};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = outbox)]
pub(super) struct OutboxRow {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) account_id: String,
    pub(super) grant_id: String,
    pub(super) message_id: String,
    pub(super) sender: String,
    pub(super) recipients: String,
    pub(super) idempotency: Option<Vec<u8>>,
    pub(super) content: Vec<u8>,
    pub(super) created_at: i64,
    pub(super) not_before: Option<i64>,
    pub(super) subject: Option<Vec<u8>>,
    pub(super) fence: i64,
    #[diesel(embed)]
    pub(super) progress: Progress,
}

/// What a worker may change.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = outbox, treat_none_as_null = true)]
pub(super) struct Progress {
    pub(super) state: String,
    pub(super) refusals: String,
    pub(super) departed: bool,
    pub(super) at_risk: bool,
    pub(super) saved_to_sent: Option<bool>,
    pub(super) hold: Option<String>,
    pub(super) next_attempt_at: Option<i64>,
    pub(super) expires_at: i64,
    pub(super) attempts: i32,
    pub(super) looks: i32,
    pub(super) last_error: Option<String>,
    pub(super) worker: Option<String>,
    pub(super) lease_until: Option<i64>,
    pub(super) updated_at: i64,
}

impl From<&OutboxEntry> for Progress {
    fn from(entry: &OutboxEntry) -> Self {
        Self {
            state: entry.state.word().to_owned(),
            refusals: refusals_text(&entry.refusals),
            departed: entry.departed,
            at_risk: entry.at_risk,
            saved_to_sent: entry.saved_to_sent,
            hold: entry.hold.map(|hold| hold.word().to_owned()),
            next_attempt_at: entry.next_attempt_at.map(|at| at.0),
            expires_at: entry.expires_at.0,
            attempts: i32::try_from(entry.attempts).unwrap_or(i32::MAX),
            looks: i32::try_from(entry.looks).unwrap_or(i32::MAX),
            last_error: entry.last_error.as_ref().map(|trouble| trouble.code().into_owned()),
            worker: entry.lease.as_ref().map(|lease| lease.worker.clone()),
            lease_until: entry.lease.as_ref().map(|lease| lease.until.0),
            updated_at: entry.updated_at.0,
        }
    }
}

impl OutboxRow {
    /// Nothing left with a cancelled entry, so its key is free for another try.
    pub(super) fn has_free_key(&self) -> bool {
        self.idempotency.is_some() && self.progress.state == OutboxState::Cancelled.word()
    }
}

impl From<&OutboxEntry> for OutboxRow {
    fn from(entry: &OutboxEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            user_id: entry.user.to_string(),
            account_id: entry.account.to_string(),
            grant_id: entry.grant.to_string(),
            message_id: entry.message_id.clone(),
            sender: entry.sender.clone(),
            recipients: to_json(&entry.recipients),
            idempotency: entry.idempotency.map(|hash| hash.0.to_vec()),
            content: entry.content.0.to_vec(),
            created_at: entry.created_at.0,
            not_before: entry.not_before.map(|at| at.0),
            subject: entry.subject.as_ref().map(|sealed| sealed.0.clone()),
            fence: entry.fence,
            progress: Progress::from(entry),
        }
    }
}

impl TryFrom<OutboxRow> for OutboxEntry {
    type Error = Failure;

    fn try_from(row: OutboxRow) -> Result<Self, Failure> {
        let progress = row.progress;
        let lease = progress.worker.zip(progress.lease_until);
        Ok(Self {
            id: id(&row.id)?,
            user: id(&row.user_id)?,
            account: id(&row.account_id)?,
            grant: id(&row.grant_id)?,
            state: OutboxState::of(&progress.state)?,
            message_id: row.message_id,
            subject: row.subject.map(Sealed),
            sender: row.sender,
            recipients: from_json(&row.recipients)?,
            idempotency: row.idempotency.as_deref().map(digest).transpose()?,
            content: digest(&row.content)?,
            refusals: refusals_of(&progress.refusals)?,
            departed: progress.departed,
            at_risk: progress.at_risk,
            saved_to_sent: progress.saved_to_sent,
            hold: progress.hold.as_deref().map(Hold::of).transpose()?,
            not_before: row.not_before.map(Timestamp),
            next_attempt_at: progress.next_attempt_at.map(Timestamp),
            expires_at: Timestamp(progress.expires_at),
            attempts: u32::try_from(progress.attempts).map_err(|_| Failure::Unreadable("attempts"))?,
            looks: u32::try_from(progress.looks).map_err(|_| Failure::Unreadable("looks"))?,
            last_error: progress.last_error.as_deref().map(Trouble::of_code),
            lease: lease.map(|(worker, until)| Lease { worker, until: Timestamp(until) }),
            fence: row.fence,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(progress.updated_at),
        })
    }
}
