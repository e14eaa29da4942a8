//! Whom accounts have met.

use super::{Repositories, race};
use crate::builders::{self, NOON};
use imapmcp_core::{
    account::Account,
    correspondent::{Blinded, CaughtUp, Fingerprint, Met, Reached, Sighting},
    mail::Role,
    secret::Sealed,
};

async fn begun(on: &Repositories, name: &str) -> Account {
    let user = builders::user(name);
    on.users.add_user(&user).await.unwrap();
    let account = builders::account(&user.id, "work");
    on.accounts.add_account(&account).await.unwrap();
    assert!(on.correspondents.meet(&account.id, &[wrote(9, 9)], 9).await.unwrap() == [None], "not begun");
    let begin = on.correspondents.begin_correspondence(&user.id, &account.id, &Sealed(vec![1, 2])).await;
    assert!(begin.unwrap());
    account
}

const fn wrote(address: u8, message: u8) -> Sighting {
    Sighting { address: Blinded([address; 16]), message: Some(Fingerprint([message; 8])) }
}

const fn written_to(address: u8) -> Sighting {
    Sighting { address: Blinded([address; 16]), message: None }
}

/// Known by the message of that number.
const ONCE: [Option<Met>; 3] = [
    Some(Met::Once(Fingerprint([0; 8]))),
    Some(Met::Once(Fingerprint([1; 8]))),
    Some(Met::Once(Fingerprint([2; 8]))),
];

const KNOWN: Option<Met> = Some(Met::Known);

/// An address is known by one message until another one comes or it is written to; all of it goes with the account.
pub async fn who_was_met_is_known_until_the_account_goes(on: &Repositories) {
    let account = begun(on, "acquainted").await;
    let (met, id, stranger) = (&on.correspondents, &account.id, builders::user_id("unacquainted"));
    assert!(met.find_correspondence(&stranger, id).await.unwrap().is_none());
    assert!(!met.begin_correspondence(&stranger, id, &Sealed(vec![9])).await.unwrap());
    assert!(met.begin_correspondence(&account.user, id, &Sealed(vec![3])).await.unwrap(), "again");
    let row = met.find_correspondence(&account.user, id).await.unwrap().unwrap();
    assert_eq!((row.secret, row.caught_up), (Sealed(vec![1, 2]), None), "the first secret stays");

    let seen = [wrote(1, 1), wrote(2, 2), wrote(1, 1), written_to(3), wrote(2, 4), wrote(3, 5)];
    let expected = [ONCE[1], ONCE[2], ONCE[1], KNOWN, KNOWN, KNOWN];
    assert_eq!(met.meet(id, &seen, 9).await.unwrap(), expected);
    let again = met.meet(id, &seen, 9).await.unwrap();
    assert_eq!(again, [ONCE[1], KNOWN, ONCE[1], KNOWN, KNOWN, KNOWN], "seen again they are no more");
    let find = async |address: u8| met.find_correspondent(id, &Blinded([address; 16])).await.unwrap();
    assert_eq!((find(1).await, find(2).await, find(4).await), (ONCE[1], KNOWN, None));
    assert_eq!(met.meet(id, &[written_to(1)], 9).await.unwrap(), [KNOWN]);
    assert_eq!(find(1).await, KNOWN);

    let folders = vec![
        Reached { role: Role::Inbox, uid_validity: u32::MAX, uid: 7 },
        Reached { role: Role::Sent, uid_validity: 2, uid: 0 },
    ];
    let caught_up = CaughtUp { at: NOON, folders };
    met.catch_up(id, Some(&caught_up)).await.unwrap();
    let row = met.find_correspondence(&account.user, id).await.unwrap().unwrap();
    assert_eq!(row.caught_up, Some(caught_up));
    met.catch_up(id, None).await.unwrap();
    assert_eq!(met.find_correspondence(&account.user, id).await.unwrap().unwrap().caught_up, None);

    assert!(on.accounts.remove_account(&account.user, id).await.unwrap());
    assert_eq!(find(2).await, None);
    assert!(met.find_correspondence(&account.user, id).await.unwrap().is_none());
}

/// A stranger who writes from ever new addresses fills no table.
pub async fn there_is_room_for_so_many(on: &Repositories) {
    let account = begun(on, "popular").await;
    let many: Vec<Sighting> = (0..5).map(|number| wrote(number, number)).collect();
    let met = on.correspondents.meet(&account.id, &many, 3).await.unwrap();
    assert_eq!(met, [ONCE[0], ONCE[1], ONCE[2], None, None]);
    let later = on.correspondents.meet(&account.id, &[wrote(4, 4), wrote(2, 9)], 3).await.unwrap();
    assert_eq!(later, [None, KNOWN], "who is there already is known better");
}

/// Two that see different messages of one address at once know that there are two.
pub async fn what_races_adds_up(on: &Repositories) {
    let account = begun(on, "busy").await;
    race(8, |number| {
        let (met, id) = (on.correspondents.clone(), account.id.clone());
        let seen = wrote(1, u8::try_from(number).unwrap());
        async move { met.meet(&id, &[seen], 9).await.unwrap() }
    })
    .await;
    let found = on.correspondents.find_correspondent(&account.id, &Blinded([1; 16])).await.unwrap();
    assert_eq!(found, KNOWN);
}
