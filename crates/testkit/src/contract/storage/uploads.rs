//! Files on their way in.

use super::{Repositories, outbox::sender, race};
use crate::builders::NOON;
use imapmcp_core::{
    id::{GrantId, UserId},
    oauth::Grant,
    secret::Sealed,
    store::UploadBounds,
    time::Timestamp,
    upload::Upload,
};

const BOUNDS: UploadBounds = UploadBounds { count: 3, octets: 100 };

fn upload(name: &str, grant: &Grant, max_octets: u64, expires_at: Timestamp) -> Upload {
    Upload {
        id: format!("upl_{name}").parse().unwrap(),
        user: grant.user.clone(),
        grant: grant.id.clone(),
        about: Sealed(vec![1, 2]),
        max_octets,
        parcel: None,
        complete: false,
        expires_at,
    }
}

/// The last that begins is the one that may finish, once; nobody else sees it, and it lapses.
pub async fn an_upload_is_found_by_its_own_grant_and_completed_once(on: &Repositories) {
    let (account, grant) = sender(on, "upload").await;
    let soon = NOON.plus_seconds(10);
    let one = upload("one", &grant, 50, soon);
    assert!(on.uploads.add_upload(&one, BOUNDS, NOON).await.unwrap());
    let find = async |user: &UserId, grant: &GrantId, now| {
        on.uploads.find_upload(user, grant, &one.id, now).await.unwrap()
    };
    assert_eq!(find(&one.user, &one.grant, NOON).await, Some(one.clone()));
    assert_eq!(find(&"usr_x".parse().unwrap(), &one.grant, NOON).await, None);
    assert_eq!(find(&one.user, &"grt_x".parse().unwrap(), NOON).await, None);
    assert_eq!(find(&one.user, &one.grant, soon).await, None, "lapsed");

    let (first, second) = ("prc_first".parse().unwrap(), "prc_second".parse().unwrap());
    for parcel in [&first, &second] {
        on.parcels.add_parcel(&account.user, parcel, NOON).await.unwrap();
        assert!(on.uploads.begin_upload(&one.id, parcel, soon, NOON).await.unwrap());
    }
    assert!(!on.uploads.begin_upload(&one.id, &second, NOON.plus_seconds(99), soon).await.unwrap(), "lapsed");
    let (about, later) = (Sealed(vec![3]), NOON.plus_seconds(60));
    let finish =
        async |parcel| on.uploads.finish_upload(&one.id, parcel, &about, 7, later, NOON).await.unwrap();
    assert!(!finish(&first).await, "another one was begun since");
    assert!(finish(&second).await);
    assert!(!finish(&second).await, "once");
    assert!(!on.uploads.begin_upload(&one.id, &first, later, NOON).await.unwrap(), "it is complete");
    let expected = Upload {
        about: about.clone(),
        max_octets: 7,
        parcel: Some(second.clone()),
        complete: true,
        expires_at: later,
        ..one.clone()
    };
    assert_eq!(find(&one.user, &one.grant, soon).await, Some(expected));
    // the parcel of the one that was cut out lapses alone
    assert_eq!(on.parcels.sweep_parcels(NOON, soon).await.unwrap(), 1);
    assert!(on.parcels.remove_parcel(&account.user, &second).await.unwrap());
    assert_eq!(on.uploads.sweep_uploads(later.plus_seconds(-1)).await.unwrap(), 0);
    assert_eq!(on.uploads.sweep_uploads(later).await.unwrap(), 1);

    let ended = upload("ended", &grant, 50, soon);
    assert!(on.uploads.add_upload(&ended, BOUNDS, NOON).await.unwrap());
    let remove = async |user: &UserId| on.uploads.remove_upload(user, &ended.id).await.unwrap();
    assert_eq!(remove(&"usr_x".parse().unwrap()).await, None);
    assert_eq!(remove(&ended.user).await, Some(ended.clone()));
    assert_eq!(remove(&ended.user).await, None, "once");

    let gone = upload("gone", &grant, 50, soon);
    assert!(on.uploads.add_upload(&gone, BOUNDS, NOON).await.unwrap());
    assert!(on.grants.revoke_grant(&grant.user, &grant.id, NOON).await.unwrap());
    on.uploads.sweep_uploads(soon).await.unwrap();
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
}

/// Neither more uploads nor more octets than a user may have, however many ask at once; what lapsed does not count.
pub async fn bounds_hold_whoever_races(on: &Repositories) {
    let (account, grant) = sender(on, "uploader").await;
    let soon = NOON.plus_seconds(10);
    let added = race(12, |number| {
        let (uploads, upload) = (on.uploads.clone(), upload(&format!("race-{number}"), &grant, 10, soon));
        async move { uploads.add_upload(&upload, BOUNDS, NOON).await.unwrap() }
    })
    .await;
    assert_eq!(added.iter().filter(|added| **added).count(), 3);
    let large = upload("large", &grant, 101, soon.plus_seconds(10));
    assert!(!on.uploads.add_upload(&large, BOUNDS, soon).await.unwrap());
    let fits = Upload { max_octets: 60, ..large };
    assert!(on.uploads.add_upload(&fits, BOUNDS, soon).await.unwrap(), "those before have lapsed");
    let more = upload("more", &grant, 41, soon.plus_seconds(10));
    assert!(!on.uploads.add_upload(&more, BOUNDS, soon).await.unwrap());
    on.uploads.sweep_uploads(soon.plus_seconds(10)).await.unwrap();
    assert!(on.accounts.remove_account(&account.user, &account.id).await.unwrap());
}
