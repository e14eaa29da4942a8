//! Octets in chunks.

use super::{Repositories, outbox::sender};
use crate::builders::{self, NOON};
use imapmcp_core::{
    id::ParcelId,
    outbox::{OutboxEntry, OutboxState},
    secret::Sealed,
    store::{Enqueued, StoreError},
};

fn parcel(name: &str) -> ParcelId {
    format!("prc_{name}").parse().unwrap()
}

/// Chunks are found by their place and owner only; a parcel that is gone takes no more of them.
pub async fn chunks_come_back_to_their_user(on: &Repositories) {
    let (owner, other) = (builders::user("parcels"), builders::user("parcels-other"));
    for user in [&owner, &other] {
        on.users.add_user(user).await.unwrap();
    }
    let (id, later) = (parcel("chunks"), NOON.plus_seconds(60));
    on.parcels.add_parcel(&owner.id, &id, NOON).await.unwrap();
    let large = Sealed((0..300_000_u32).map(|number| number.to_le_bytes()[0]).collect());
    let small = Sealed(vec![1]);
    for (position, chunk) in [(0, &large), (1, &small)] {
        assert!(on.parcels.add_chunk(&owner.id, &id, position, chunk, later).await.unwrap());
    }
    let again = on.parcels.add_chunk(&owner.id, &id, 1, &small, later).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    assert!(!on.parcels.add_chunk(&other.id, &id, 2, &small, later).await.unwrap(), "another user's");
    let found = async |user, position| on.parcels.find_chunk(user, &id, position).await.unwrap();
    assert_eq!(found(&owner.id, 0).await, Some(large));
    assert_eq!(found(&owner.id, 1).await, Some(small.clone()));
    assert_eq!(found(&owner.id, 2).await, None);
    assert_eq!(found(&other.id, 0).await, None);
    assert!(!on.parcels.remove_parcel(&other.id, &id).await.unwrap());
    assert!(on.parcels.remove_parcel(&owner.id, &id).await.unwrap());
    assert!(!on.parcels.remove_parcel(&owner.id, &id).await.unwrap());
    assert_eq!(found(&owner.id, 0).await, None);
    assert!(!on.parcels.add_chunk(&owner.id, &id, 3, &small, later).await.unwrap(), "gone");
}

/// What a message holds stays until the message has ended; what nobody holds lapses; a message whose parcel is gone is
/// not recorded.
pub async fn a_held_parcel_does_not_lapse(on: &Repositories) {
    let (account, grant) = sender(on, "holder").await;
    let (stranger, _) = sender(on, "holder-stranger").await;
    let (held, lapsing, theirs) = (parcel("held"), parcel("lapsing"), parcel("theirs"));
    for (user, id) in [(&account.user, &held), (&account.user, &lapsing), (&stranger.user, &theirs)] {
        on.parcels.add_parcel(user, id, NOON).await.unwrap();
        let chunk = Sealed(vec![9]);
        assert!(on.parcels.add_chunk(user, id, 0, &chunk, NOON.plus_seconds(60)).await.unwrap());
    }
    let entry = builders::outbox_entry("holds", &account, &grant);
    let record = async |entry: &OutboxEntry, parcels: &[ParcelId]| {
        on.outbox.enqueue(entry, &Sealed(vec![4]), parcels, NOON).await.unwrap()
    };
    let refused = record(&entry, &[held.clone(), theirs.clone()]).await;
    assert!(matches!(refused, Enqueued::Lapsed), "another user's parcel is none");
    assert!(on.outbox.find_entry(&account.user, &entry.id).await.unwrap().is_none());
    assert!(matches!(record(&entry, &[held.clone(), held.clone()]).await, Enqueued::New));
    // the same file in two messages
    let second = builders::outbox_entry("holds-too", &account, &grant);
    assert!(matches!(record(&second, std::slice::from_ref(&held)).await, Enqueued::New));

    assert_eq!(
        on.parcels.sweep_parcels(NOON, NOON.plus_seconds(59)).await.unwrap(),
        0,
        "put off by its chunk"
    );
    assert_eq!(on.parcels.sweep_parcels(NOON, NOON.plus_seconds(60)).await.unwrap(), 2);
    assert!(!on.parcels.remove_parcel(&account.user, &held).await.unwrap(), "held");
    let there = async || on.parcels.find_chunk(&account.user, &held, 0).await.unwrap().is_some();
    assert!(there().await);
    assert!(matches!(
        record(&builders::outbox_entry("late", &account, &grant), &[lapsing]).await,
        Enqueued::Lapsed
    ));

    let later = NOON.plus_seconds(100);
    for entry in [entry, second] {
        assert!(there().await, "somebody still holds it");
        let ended = OutboxEntry {
            state: OutboxState::Done,
            next_attempt_at: None,
            updated_at: later.plus_seconds(-1),
            ..entry
        };
        assert!(on.outbox.settle(&ended).await.unwrap());
        on.parcels.sweep_parcels(later, later).await.unwrap();
    }
    assert!(!there().await);
    for account in [account, stranger] {
        assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
    }
}
