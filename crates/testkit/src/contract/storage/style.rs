//! Writing styles.

use super::{Repositories, race};
use crate::builders::{self, NOON};
use imapmcp_core::{secret::Sealed, store::RememberedDraft};

fn draft(name: &str, seconds: i64) -> RememberedDraft {
    RememberedDraft {
        message_id: format!("{name}@example.com"),
        draft: Sealed(vec![1, 2]),
        written_at: NOON.plus_seconds(seconds),
    }
}

/// Nothing is kept of an account that is not switched on; switching it off, or removing it, deletes all of it.
pub async fn a_style_is_kept_while_it_is_switched_on(on: &Repositories) {
    let user = builders::user("stylish");
    on.users.add_user(&user).await.unwrap();
    let account = builders::account(&user.id, "work");
    on.accounts.add_account(&account).await.unwrap();
    let (style, id) = (&on.style, &account.id);
    let stranger = builders::user_id("unstylish");
    assert!(!style.keep_style(&stranger, id, true).await.unwrap());
    assert!(!style.remember_draft(&user.id, id, &draft("off", 0), 3).await.unwrap(), "off by default");
    assert!(style.list_styles(&user.id).await.unwrap().is_empty());

    assert!(style.keep_style(&user.id, id, true).await.unwrap());
    for number in 0..5 {
        let draft = draft(&number.to_string(), number);
        assert!(style.remember_draft(&user.id, id, &draft, 3).await.unwrap());
    }
    assert!(!style.remember_draft(&stranger, id, &draft("x", 9), 3).await.unwrap());
    let names = async |since: i64| {
        let drafts = style.list_drafts(&user.id, id, NOON.plus_seconds(since)).await.unwrap();
        drafts.into_iter().map(|draft| draft.message_id).collect::<Vec<_>>()
    };
    assert_eq!(names(-1).await, ["4@example.com", "3@example.com", "2@example.com"], "the newest three");
    assert_eq!(names(3).await, ["4@example.com"]);
    assert!(style.list_drafts(&stranger, id, NOON).await.unwrap().is_empty());
    style.forget_draft(&stranger, id, "4@example.com").await.unwrap();
    assert_eq!(names(3).await, ["4@example.com"]);
    style.forget_draft(&user.id, id, "4@example.com").await.unwrap();
    assert_eq!(names(3).await, [""; 0]);

    assert!(style.keep_style(&user.id, id, true).await.unwrap(), "on again changes nothing");
    assert_eq!(names(-1).await.len(), 2);
    assert_eq!(style.purge_drafts(NOON.plus_seconds(3)).await.unwrap(), 1);
    assert!(style.keep_style(&user.id, id, false).await.unwrap());
    assert!(style.list_styles(&user.id).await.unwrap().is_empty() && names(-1).await.is_empty());
    assert!(style.keep_style(&user.id, id, true).await.unwrap());
    assert!(names(-1).await.is_empty(), "off deleted it");
    style.remember_draft(&user.id, id, &draft("last", 0), 3).await.unwrap();
    assert!(on.accounts.remove_account(&user.id, id).await.unwrap());
    assert!(style.list_styles(&user.id).await.unwrap().is_empty());
}

/// A draft teaches once, and of two profiles on the same version one wins.
pub async fn a_draft_teaches_once(on: &Repositories) {
    let user = builders::user("learner");
    on.users.add_user(&user).await.unwrap();
    let account = builders::account(&user.id, "work");
    on.accounts.add_account(&account).await.unwrap();
    let (style, id) = (&on.style, &account.id);
    style.keep_style(&user.id, id, true).await.unwrap();
    for name in ["a", "b"] {
        style.remember_draft(&user.id, id, &draft(name, 0), 9).await.unwrap();
    }
    let learnt = race(8, |number| {
        let (style, user, id) = (style.clone(), user.id.clone(), id.clone());
        let (name, profile) = (["a", "b"][number % 2], Sealed(vec![u8::try_from(number).unwrap()]));
        async move { style.learn(&user, &id, &format!("{name}@example.com"), 0, &profile).await.unwrap() }
    })
    .await;
    assert_eq!(learnt.into_iter().filter(|won| *won).count(), 1);
    let row = style.list_styles(&user.id).await.unwrap().remove(0);
    assert!(row.version == 1 && row.profile.is_some());
    let left = style.list_drafts(&user.id, id, NOON.plus_seconds(-1)).await.unwrap();
    assert_eq!(left.len(), 1, "only the one that taught is forgotten");
    let stranger = builders::user_id("unlearner");
    let name = &left[0].message_id;
    assert!(!style.learn(&stranger, id, name, 1, &Sealed(vec![9])).await.unwrap());
    assert!(!style.learn(&user.id, id, "unknown@example.com", 1, &Sealed(vec![9])).await.unwrap());
    assert!(style.learn(&user.id, id, name, 1, &Sealed(vec![9])).await.unwrap());
    assert!(on.accounts.remove_account(&user.id, id).await.unwrap());
}
