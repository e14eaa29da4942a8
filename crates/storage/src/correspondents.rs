//! Whom accounts have met.

use crate::{
    database::{Database, with_conn, with_tx, with_write},
    failure::Failure,
    schema::{accounts, correspondence, correspondents},
    stored_text::Word as _,
};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use imapmcp_core::{
    correspondent::{Blinded, CaughtUp, Fingerprint, Met, Reached, Sighting},
    id::{AccountId, UserId},
    mail::Role,
    secret::Sealed,
    store::{CorrespondenceRow, CorrespondentRepository, StoreError},
    time::Timestamp,
};
use std::collections::HashMap;

/// Sightings that are noted in one transaction.
const AT_ONCE: usize = 500;

fn met(message: Option<Vec<u8>>) -> Result<Met, Failure> {
    let Some(message) = message else { return Ok(Met::Known) };
    let message = message.try_into().map_err(|_| Failure::Unreadable("Fingerprint"))?;
    Ok(Met::Once(Fingerprint(message)))
}

/// How well an address is known after it was sighted.
fn after(before: Option<Met>, message: Option<Fingerprint>) -> Met {
    match (before, message) {
        (None, Some(message)) => Met::Once(message),
        (Some(Met::Once(before)), Some(message)) if before == message => Met::Once(message),
        _ => Met::Known,
    }
}

fn written(caught_up: &CaughtUp) -> String {
    let one = |reached: &Reached| format!("{}:{}:{}", reached.role.word(), reached.uid_validity, reached.uid);
    caught_up.folders.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn read(text: &str) -> Result<Vec<Reached>, Failure> {
    let unreadable = || Failure::Unreadable("Reached");
    let one = |text: &str| {
        let mut pieces = text.split(':');
        let mut piece = || pieces.next().ok_or_else(unreadable);
        let role = Role::of(piece()?)?;
        let mut number = || piece()?.parse().map_err(|_| unreadable());
        Ok(Reached { role, uid_validity: number()?, uid: number()? })
    };
    text.split_ascii_whitespace().map(one).collect()
}

/// How well these addresses are known, on an open connection.
macro_rules! known {
    ($connection:expr, $account:expr, $addresses:expr) => {{
        let rows: Vec<(Vec<u8>, Option<Vec<u8>>)> = correspondents::table
            .filter(correspondents::account_id.eq($account))
            .filter(correspondents::address.eq_any($addresses))
            .select((correspondents::address, correspondents::message))
            .load($connection)
            .await?;
        let row = |(address, message): (Vec<u8>, Option<Vec<u8>>)| Ok::<_, Failure>((address, met(message)?));
        rows.into_iter().map(row).collect::<Result<HashMap<_, _>, _>>()?
    }};
}

/// Goes through sightings in order; tells of each how well its address is known then, `None` where there is no room, and
/// which rows change.
fn weigh(
    mut known: HashMap<Vec<u8>, Met>,
    sightings: &[Sighting],
    mut room: usize,
) -> (Vec<Option<Met>>, HashMap<Blinded, Met>) {
    let mut changes = HashMap::new();
    let mut one = |sighting: &Sighting| {
        let before = known.get(&sighting.address.0[..]).copied();
        if before.is_none() {
            room = room.checked_sub(1)?;
        }
        let now = after(before, sighting.message);
        if before != Some(now) {
            known.insert(sighting.address.0.to_vec(), now);
            changes.insert(sighting.address, now);
        }
        Some(now)
    };
    (sightings.iter().map(&mut one).collect(), changes)
}

impl Database {
    async fn meet_some(
        &self,
        account: &str,
        sightings: &[Sighting],
        most: u32,
    ) -> Result<Vec<Option<Met>>, StoreError> {
        let addresses: Vec<&[u8]> = sightings.iter().map(|sighting| &sighting.address.0[..]).collect();
        let known = with_conn!(self, |c| Ok(known!(c, account, &addresses)))?;
        let (answer, changes) = weigh(known, sightings, usize::MAX);
        if changes.is_empty() {
            return Ok(answer);
        }
        with_tx!(self, |c| {
            // its lock: of two at once the second sees what the first wrote
            let begun = diesel::update(correspondence::table.find(account))
                .set(correspondence::account_id.eq(account))
                .execute(c)
                .await?;
            let have: i64 = correspondents::table
                .filter(correspondents::account_id.eq(account))
                .count()
                .get_result(c)
                .await?;
            let room = if begun == 1 { i64::from(most).saturating_sub(have) } else { 0 };
            let known = known!(c, account, &addresses);
            let (answer, changes) = weigh(known, sightings, usize::try_from(room).unwrap_or(0));
            for (address, met) in changes {
                let message = match met {
                    Met::Once(message) => Some(message.0.to_vec()),
                    Met::Known => None,
                };
                diesel::insert_into(correspondents::table)
                    .values((
                        correspondents::account_id.eq(account),
                        correspondents::address.eq(&address.0[..]),
                        correspondents::message.eq(&message),
                    ))
                    .on_conflict((correspondents::account_id, correspondents::address))
                    .do_update()
                    .set(correspondents::message.eq(&message))
                    .execute(c)
                    .await?;
            }
            Ok(answer)
        })
    }
}

#[async_trait]
impl CorrespondentRepository for Database {
    async fn find_correspondence(
        &self,
        user: &UserId,
        account: &AccountId,
    ) -> Result<Option<CorrespondenceRow>, StoreError> {
        let found: Option<(Vec<u8>, String, Option<i64>)> = with_conn!(self, |c| Ok(correspondence::table
            .find(account.as_str())
            .filter(correspondence::user_id.eq(user.as_str()))
            .select((correspondence::secret, correspondence::reached, correspondence::reached_at))
            .first(c)
            .await
            .optional()?))?;
        let row = |(secret, reached, at): (Vec<u8>, String, Option<i64>)| {
            let caught_up = |at| Ok::<_, Failure>(CaughtUp { at: Timestamp(at), folders: read(&reached)? });
            Ok::<_, Failure>(CorrespondenceRow {
                secret: Sealed(secret),
                caught_up: at.map(caught_up).transpose()?,
            })
        };
        Ok(found.map(row).transpose()?)
    }

    async fn begin_correspondence(
        &self,
        user: &UserId,
        account: &AccountId,
        secret: &Sealed,
    ) -> Result<bool, StoreError> {
        let (user, account) = (user.as_str(), account.as_str());
        with_tx!(self, |c| {
            let owned: i64 = accounts::table
                .find(account)
                .filter(accounts::user_id.eq(user))
                .count()
                .get_result(c)
                .await?;
            if owned == 1 {
                diesel::insert_into(correspondence::table)
                    .values((
                        correspondence::account_id.eq(account),
                        correspondence::user_id.eq(user),
                        correspondence::secret.eq(&secret.0),
                    ))
                    .on_conflict_do_nothing()
                    .execute(c)
                    .await?;
            }
            Ok(owned == 1)
        })
    }

    async fn meet(
        &self,
        account: &AccountId,
        sightings: &[Sighting],
        most: u32,
    ) -> Result<Vec<Option<Met>>, StoreError> {
        let mut answers = Vec::with_capacity(sightings.len());
        for some in sightings.chunks(AT_ONCE) {
            answers.extend(self.meet_some(account.as_str(), some, most).await?);
        }
        Ok(answers)
    }

    async fn find_correspondent(
        &self,
        account: &AccountId,
        address: &Blinded,
    ) -> Result<Option<Met>, StoreError> {
        let found: Option<Option<Vec<u8>>> = with_conn!(self, |c| Ok(correspondents::table
            .find((account.as_str(), &address.0[..]))
            .select(correspondents::message)
            .first(c)
            .await
            .optional()?))?;
        Ok(found.map(met).transpose()?)
    }

    async fn catch_up(&self, account: &AccountId, to: Option<&CaughtUp>) -> Result<(), StoreError> {
        let (reached, at) = (to.map(written).unwrap_or_default(), to.map(|to| to.at.0));
        with_write!(self, |c| {
            diesel::update(correspondence::table.find(account.as_str()))
                .set((correspondence::reached.eq(&reached), correspondence::reached_at.eq(at)))
                .execute(c)
                .await?;
            Ok(())
        })
    }
}
