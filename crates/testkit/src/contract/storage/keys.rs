//! The key ring's memory.

use super::{Repositories, outbox::sender};
use crate::builders::{self, NOON};
use imapmcp_core::{
    account::Account,
    id::ParcelId,
    oauth::Grant,
    outbox::OutboxEntry,
    secret::{Sealed, SealedColumn},
    store::{Enqueued, KeyRecord, KeyState, RememberedDraft, SealedRow, StoreError, UploadBounds},
    time::Timestamp,
    upload::Upload,
};

fn key(kid: &str, state: KeyState, later: i64) -> KeyRecord {
    KeyRecord {
        kid: kid.to_owned(),
        state,
        check: vec![0, 255, later.to_be_bytes()[7]],
        created_at: NOON.plus_seconds(later),
    }
}

/// Must run on a database that knows no key.
pub async fn one_key_is_active(on: &Repositories) {
    let first = key("b-first", KeyState::Active, 0);
    let second = key("a-second", KeyState::DecryptOnly, 1);
    let third = key("c-third", KeyState::Retired, 2);
    for key in [&second, &first, &third] {
        on.keys.add_key(key).await.unwrap();
    }
    assert_eq!(on.keys.list_keys().await.unwrap(), [first.clone(), second.clone(), third]);
    assert!(matches!(on.keys.add_key(&second).await, Err(StoreError::Conflict(_))));
    let usurper = key("d-usurper", KeyState::Active, 3);
    assert!(matches!(on.keys.add_key(&usurper).await, Err(StoreError::Conflict(_))), "two first starts race");

    assert!(!on.keys.activate_key("unknown").await.unwrap());
    assert!(!on.keys.activate_key("c-third").await.unwrap(), "retired");
    assert!(on.keys.activate_key("a-second").await.unwrap());
    assert!(on.keys.activate_key("a-second").await.unwrap(), "twice is once");
    let states: Vec<_> = on.keys.list_keys().await.unwrap().into_iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::DecryptOnly, KeyState::Active, KeyState::Retired]);
}

/// Every row of a column, two at a time.
async fn walked(on: &Repositories, column: SealedColumn) -> Vec<SealedRow> {
    let mut seen: Vec<SealedRow> = Vec::new();
    loop {
        let page = on.keys.list_sealed(column, seen.last(), 2).await.unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            return seen;
        }
        seen.extend(page);
    }
}

fn owner(column: SealedColumn) -> String {
    column.name().replace(['.', '_'], "-")
}

/// Writes three values into a column; returns the row and context of each.
async fn filled(on: &Repositories, column: SealedColumn) -> Vec<(String, String)> {
    let (account, grant) = sender(on, &owner(column)).await;
    let mut rows = Vec::new();
    for number in 0..3_u8 {
        let value =
            Value { name: format!("{}-{number}", owner(column)), number, sealed: Sealed(vec![7, number]) };
        rows.push(match column {
            SealedColumn::AccountCredential => value.credential(on, &account).await,
            SealedColumn::OutboxMessage | SealedColumn::OutboxSubject => {
                value.outbox(on, &account, &grant).await
            }
            SealedColumn::ParcelChunk => value.chunk(on, &account).await,
            SealedColumn::UploadAbout => value.upload(on, &grant).await,
            SealedColumn::StyleProfile => value.style(on, &account, true).await,
            SealedColumn::StyleDraft => value.style(on, &account, false).await,
            SealedColumn::CorrespondenceSecret => value.correspondence(on, &account).await,
        });
    }
    rows.sort();
    rows
}

/// A value to be sealed, of which each column is told in its own words.
struct Value {
    name: String,
    number: u8,
    sealed: Sealed,
}

/// So late that no other promise meets it.
fn late() -> Timestamp {
    NOON.plus_seconds(10 * 365 * 86_400)
}

impl Value {
    async fn credential(self, on: &Repositories, of: &Account) -> (String, String) {
        let account = Account { credential: self.sealed, ..builders::account(&of.user, &self.name) };
        on.accounts.add_account(&account).await.unwrap();
        (account.id.to_string(), account.credential_context())
    }

    async fn outbox(self, on: &Repositories, of: &Account, grant: &Grant) -> (String, String) {
        let entry = OutboxEntry {
            subject: Some(self.sealed.clone()),
            next_attempt_at: Some(late()),
            expires_at: late(),
            ..builders::outbox_entry(&self.name, of, grant)
        };
        assert!(matches!(on.outbox.enqueue(&entry, &self.sealed, &[], NOON).await.unwrap(), Enqueued::New));
        (entry.id.to_string(), String::new())
    }

    async fn chunk(self, on: &Repositories, of: &Account) -> (String, String) {
        let id: ParcelId = "prc_sealed".parse().unwrap();
        if self.number == 0 {
            on.parcels.add_parcel(&of.user, &id, late()).await.unwrap();
        }
        assert!(on.parcels.add_chunk(&of.user, &id, self.number.into(), &self.sealed, late()).await.unwrap());
        (id.to_string(), self.number.to_string())
    }

    async fn upload(self, on: &Repositories, grant: &Grant) -> (String, String) {
        let upload = Upload {
            id: format!("upl_sealed{}", self.number).parse().unwrap(),
            user: grant.user.clone(),
            grant: grant.id.clone(),
            about: self.sealed,
            max_octets: 1,
            parcel: None,
            complete: false,
            expires_at: late(),
        };
        assert!(on.uploads.add_upload(&upload, UploadBounds { count: 9, octets: 100 }, NOON).await.unwrap());
        (upload.id.to_string(), String::new())
    }

    async fn style(self, on: &Repositories, of: &Account, learnt: bool) -> (String, String) {
        let account = builders::account(&of.user, &self.name);
        on.accounts.add_account(&account).await.unwrap();
        assert!(on.style.keep_style(&of.user, &account.id, true).await.unwrap());
        let (message_id, draft) = (self.name.clone(), self.sealed.clone());
        let draft = RememberedDraft { message_id, draft, written_at: late() };
        assert!(on.style.remember_draft(&of.user, &account.id, &draft, 9).await.unwrap());
        if learnt {
            assert!(on.style.learn(&of.user, &account.id, &self.name, 0, &self.sealed).await.unwrap());
        }
        (account.id.to_string(), if learnt { String::new() } else { self.name })
    }

    async fn correspondence(self, on: &Repositories, of: &Account) -> (String, String) {
        let account = builders::account(&of.user, &self.name);
        on.accounts.add_account(&account).await.unwrap();
        let begun = on.correspondents.begin_correspondence(&of.user, &account.id, &self.sealed);
        assert!(begun.await.unwrap());
        (account.id.to_string(), String::new())
    }
}

/// Rotation walks all rows of every column in order, knows whose they are, and never overwrites an edit.
pub async fn sealed_values_are_walked_and_an_edit_wins(on: &Repositories) {
    for column in SealedColumn::ALL {
        let rows = filled(on, column).await;
        let seen = walked(on, column).await;
        let place = |row: &SealedRow| (row.row.clone(), row.context.clone());
        assert!(seen.iter().all(|row| row.column == column));
        assert!(seen.is_sorted_by(|one, other| place(one) < place(other)), "{column:?}: each once, in order");
        let user = builders::user_id(&owner(column));
        let mine: Vec<&SealedRow> =
            seen.iter().filter(|row| row.user == user.as_str() && rows.contains(&place(row))).collect();
        assert_eq!(mine.iter().map(|row| place(row)).collect::<Vec<_>>(), rows, "{column:?}");
        for (number, row) in mine.iter().enumerate() {
            assert_eq!(row.sealed.0.len(), 2, "{column:?} {number}");
            let new = Sealed(vec![9, 9, u8::try_from(number).unwrap()]);
            assert!(on.keys.replace_sealed(row, &new).await.unwrap(), "{column:?} {number}");
            let again = on.keys.replace_sealed(row, &Sealed(vec![8])).await.unwrap();
            assert!(!again, "{column:?} {number}: it is not the old value any more");
        }
        let now = walked(on, column).await;
        let new: Vec<&SealedRow> = now.iter().filter(|row| rows.contains(&place(row))).collect();
        assert!(new.iter().all(|row| row.sealed.0.starts_with(&[9, 9])), "{column:?}");
        assert_eq!(new.len(), 3, "{column:?}");
    }
    let user = builders::user_id(&owner(SealedColumn::AccountCredential));
    let accounts = on.accounts.list_accounts(&user).await.unwrap();
    assert!(accounts.iter().all(|account| account.credential_version == 1), "no new password");
}
