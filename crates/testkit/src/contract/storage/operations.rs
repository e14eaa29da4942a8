//! Plans and what can be undone.

use super::{Repositories, race};
use crate::builders::{self, NOON};
use imapmcp_core::{
    operation::{MAX_DETAIL, OperationState},
    store::StoreError,
};

/// Found by their owner until they lapse, moved on by one of any racers, and gone with their account.
pub async fn an_operation_is_moved_on_by_one_winner(on: &Repositories) {
    let user = builders::user("operator");
    on.users.add_user(&user).await.unwrap();
    let account = builders::account(&user.id, "work");
    on.accounts.add_account(&account).await.unwrap();
    let stranger = builders::user("operator-stranger");
    on.users.add_user(&stranger).await.unwrap();
    let operation = builders::operation("one", &account);
    on.operations.add_operations(std::slice::from_ref(&operation)).await.unwrap();
    assert!(matches!(
        on.operations.add_operations(std::slice::from_ref(&operation)).await,
        Err(StoreError::Conflict(_))
    ));

    let other = builders::operation("two", &account);
    let both = [other.clone(), operation.clone()];
    assert!(matches!(on.operations.add_operations(&both).await, Err(StoreError::Conflict(_))));
    let found = on.operations.find_operation(&user.id, &other.id, NOON).await.unwrap();
    assert_eq!(found, None, "all or none");

    let found = on.operations.find_operation(&user.id, &operation.id, NOON).await.unwrap();
    assert_eq!(found.as_ref(), Some(&operation));
    assert_eq!(on.operations.find_operation(&stranger.id, &operation.id, NOON).await.unwrap(), None);
    let lapsed = operation.expires_at;
    assert_eq!(on.operations.find_operation(&user.id, &operation.id, lapsed).await.unwrap(), None);

    let (planned, running) = (OperationState::Planned, OperationState::Running);
    let advance = |who, from, detail, at| {
        on.operations.advance_operation(who, &operation.id, from, OperationState::Done, detail, at)
    };
    assert!(!advance(&stranger.id, planned, None, NOON).await.unwrap());
    assert!(!advance(&user.id, planned, None, lapsed).await.unwrap(), "lapsed");
    let won = race(16, |number| {
        let (operations, user, id) = (on.operations.clone(), user.id.clone(), operation.id.clone());
        async move {
            let detail = format!("{{\"by\":{number}}}");
            operations.advance_operation(&user, &id, planned, running, Some(&detail), NOON).await.unwrap()
        }
    })
    .await;
    let winner = won.iter().position(|won| *won).unwrap();
    assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    let found = on.operations.find_operation(&user.id, &operation.id, NOON).await.unwrap().unwrap();
    assert_eq!((found.state, found.detail), (running, format!("{{\"by\":{winner}}}")));
    assert!(advance(&user.id, running, None, NOON).await.unwrap());
    let found = on.operations.find_operation(&user.id, &operation.id, NOON).await.unwrap().unwrap();
    assert_eq!((found.state, found.detail), (OperationState::Done, format!("{{\"by\":{winner}}}")));

    let mut long = builders::operation("long", &account);
    long.detail = "ü".repeat(MAX_DETAIL / 2);
    on.operations.add_operations(std::slice::from_ref(&long)).await.unwrap();
    long.id = "op_longer".parse().unwrap();
    long.detail.push(' ');
    assert!(matches!(
        on.operations.add_operations(std::slice::from_ref(&long)).await,
        Err(StoreError::Query(_))
    ));

    assert_eq!(on.operations.purge_operations(lapsed).await.unwrap(), 0);
    assert_eq!(on.operations.purge_operations(lapsed.plus_seconds(1)).await.unwrap(), 2);
    on.operations.add_operations(std::slice::from_ref(&operation)).await.unwrap();
    assert!(on.accounts.remove_account(&user.id, &account.id).await.unwrap());
    assert_eq!(on.operations.find_operation(&user.id, &operation.id, NOON).await.unwrap(), None);
}
