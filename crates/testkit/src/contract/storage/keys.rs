//! The key ring's memory.

use super::Repositories;
use crate::builders::{self, NOON};
use imapmcp_core::{
    secret::Sealed,
    store::{KeyRecord, KeyState, StoreError},
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

/// Rewrapping walks all rows in order, and never overwrites an edit.
pub async fn sealed_values_are_walked_and_an_edit_wins(on: &Repositories) {
    let user = builders::user("sealed");
    on.users.add_user(&user).await.unwrap();
    for label in ["a", "b", "c"] {
        on.accounts.add_account(&builders::account(&user.id, label)).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = on.keys.list_sealed(after.as_deref(), 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.row.clone());
        seen.extend(page);
    }
    assert!(seen.is_sorted_by(|one, other| one.row < other.row), "each once, in order");
    let mine: Vec<_> = seen.into_iter().filter(|row| row.user == user.id.as_str()).collect();
    assert_eq!(mine.len(), 3);
    let row = &mine[0];
    let account = builders::account(&user.id, "a");
    assert_eq!((row.field, row.row.as_str()), ("accounts.credential", account.id.as_str()));
    assert_eq!((row.context.clone(), row.sealed.clone()), (account.credential_context(), account.credential));

    assert!(on.keys.replace_sealed(row, &Sealed(vec![9])).await.unwrap());
    assert!(
        !on.keys.replace_sealed(row, &Sealed(vec![8])).await.unwrap(),
        "it is not the old value any more"
    );
    let found = on.accounts.find_account(&user.id, &account.id).await.unwrap().unwrap();
    assert_eq!((found.credential, found.credential_version), (Sealed(vec![9]), 1));
}
