//! Servers that refuse, delay or break.

use crate::world::{Answer, House, World};
use imapmcp_core::{
    mail::{MailError, NetworkFault, SubmitError},
    outbox::{OutboxState, Refusal, Trouble},
    time::Clock,
};
use imapmcp_delivery::{CancelOutcome, DeliveryError, Receipt, Request};
use imapmcp_testkit::builders;
use std::sync::{Arc, atomic::Ordering};

impl House {
    pub(crate) async fn sweep_later(&self, world: &World, seconds: i64) {
        world.clock.advance_seconds(seconds);
        self.delivery.sweep().await.unwrap();
    }
}

fn deferred(code: u16) -> Answer {
    Answer::Fails(SubmitError::Deferred { code, enhanced: None })
}

#[tokio::test]
async fn a_deferred_message_is_tried_again_after_1_5_15_and_60_minutes() {
    let world = World::new();
    let house = world.house().await;
    for _ in 0..6 {
        world.server.will(deferred(451));
    }
    let receipt = house.send("Greylisted").await.unwrap();
    assert_eq!((receipt.state, receipt.attempts), (OutboxState::Queued, 1));
    assert_eq!(receipt.last_error.as_ref().map(Trouble::code).as_deref(), Some("451"));
    for (tries, minutes) in [(1, 1), (2, 5), (3, 15), (4, 60), (5, 60), (6, 60)] {
        let seen = house.entry(&receipt.id).await;
        assert_eq!((seen.state, seen.attempts), (OutboxState::Queued, tries));
        let wait = seen.next_attempt_at.unwrap().seconds() - seen.updated_at.seconds();
        assert_eq!(wait, minutes * 60, "after try {tries}");
        house.sweep_later(&world, minutes * 60 - 1).await;
        assert_eq!(house.entry(&receipt.id).await.attempts, tries, "not a second early");
        house.sweep_later(&world, 1).await;
    }
    assert_eq!(house.state(&receipt.id).await, OutboxState::Done);
    assert_eq!(world.server.taken().len(), 1);
    assert_eq!(world.sent.copies(&receipt.message_id), 1);
}

#[tokio::test]
async fn a_message_nobody_takes_for_a_day_is_rejected() {
    let world = World::new();
    let house = world.house().await;
    for _ in 0..60 {
        world.server.will(deferred(450));
    }
    let receipt = house.send("Never").await.unwrap();
    for _ in 0..30 {
        house.sweep_later(&world, 3600).await;
    }
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.next_attempt_at), (OutboxState::Rejected, None));
    let refusal = Refusal { address: "a@example.org".into(), code: 450, enhanced: None };
    assert_eq!(seen.rejected, [refusal]);
    assert!(world.server.taken().is_empty());
}

#[tokio::test]
async fn a_server_that_is_down_keeps_a_message_waiting_for_a_day() {
    let world = World::new();
    let house = world.house().await;
    for _ in 0..60 {
        world.server.will(MailError::Unreachable(NetworkFault::Connect));
    }
    let receipt = house.send_keyed("k").await.unwrap();
    assert_eq!(receipt.state, OutboxState::Queued);
    assert_eq!(receipt.last_error.as_ref().map(Trouble::code).as_deref(), Some("connect_failed"));
    let again = house.send_keyed("k").await.unwrap();
    assert_eq!((again.id, again.repeated), (receipt.id.clone(), true), "it is recorded once");
    for _ in 0..30 {
        house.sweep_later(&world, 3600).await;
    }
    assert_eq!(house.state(&receipt.id).await, OutboxState::Cancelled, "nothing left");
    world.server.forget_script();
    let fresh = house.send_keyed("k").await.unwrap();
    assert_eq!((fresh.state, fresh.repeated), (OutboxState::Done, false), "so the key is free");
}

#[tokio::test]
async fn what_waits_for_its_next_try_can_be_cancelled() {
    let world = World::new();
    let house = world.house().await;
    world.server.will(deferred(421));
    let receipt = house.send("Stop").await.unwrap();
    let cancelled = house.delivery.cancel(&house.principal.user, &receipt.id).await.unwrap();
    assert_eq!(cancelled, Some(CancelOutcome::Cancelled));
    house.sweep_later(&world, 24 * 3600).await;
    assert!(world.server.taken().is_empty());
    let late = house.delivery.cancel(&house.principal.user, &receipt.id).await.unwrap();
    assert_eq!(late, Some(CancelOutcome::TooLate(OutboxState::Cancelled)));
    let stranger = imapmcp_testkit::builders::user_id("stranger");
    assert_eq!(house.delivery.cancel(&stranger, &receipt.id).await.unwrap(), None);
}

#[tokio::test]
async fn one_refused_recipient_of_three_is_told_and_not_tried_again() {
    let world = World::new();
    let house = world.house().await;
    world.server.will(Answer::Refuses(vec![("b@example.org", 550)]));
    let receipt = house.send_to(&["a@example.org", "b@example.org", "c@example.org"]).await.unwrap();
    assert_eq!(receipt.state, OutboxState::Done);
    assert_eq!(receipt.accepted, ["a@example.org", "c@example.org"]);
    assert_eq!((receipt.rejected.len(), receipt.rejected[0].code), (1, 550));
    for _ in 0..30 {
        house.sweep_later(&world, 3600).await;
    }
    assert_eq!(world.server.taken().len(), 1);
}

#[tokio::test]
async fn a_deferred_recipient_is_tried_alone() {
    let world = World::new();
    let house = world.house().await;
    let (a, b, c) = ("a@example.org", "b@example.org", "c@example.org");
    world.server.will(Answer::Refuses(vec![(b, 450), (c, 550)]));
    world.server.will(Answer::Fails(SubmitError::Deferred { code: 451, enhanced: None }));
    let receipt = house.send_to(&[a, b, c]).await.unwrap();
    assert_eq!((receipt.state, receipt.saved_to_sent), (OutboxState::Queued, Some(true)));
    assert_eq!(receipt.accepted, [a]);
    house.sweep_later(&world, 60).await;
    assert_eq!(house.entry(&receipt.id).await.accepted, [a], "still so");
    house.sweep_later(&world, 300).await;
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.attempts), (OutboxState::Done, 3));
    assert_eq!(seen.accepted, [a, b]);
    assert_eq!(seen.rejected.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), [550]);
    let taken: Vec<Vec<String>> = world.server.taken().into_iter().map(|(_, to)| to).collect();
    assert_eq!(taken, [vec![a.to_owned()], vec![b.to_owned()]]);
    assert_eq!(world.sent.copies(&receipt.message_id), 1);
}

#[tokio::test]
async fn stopping_the_retries_leaves_what_was_sent_as_sent() {
    let world = World::new();
    let house = world.house().await;
    world.server.will(Answer::Refuses(vec![("b@example.org", 450)]));
    let receipt = house.send_to(&["a@example.org", "b@example.org"]).await.unwrap();
    let cancelled = house.delivery.cancel(&house.principal.user, &receipt.id).await.unwrap();
    assert_eq!(cancelled, Some(CancelOutcome::Cancelled));
    house.sweep_later(&world, 1).await;
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.accepted.len()), (OutboxState::Done, 1));
    house.sweep_later(&world, 7200).await;
    assert_eq!(world.server.taken().len(), 1);
}

#[tokio::test]
async fn a_whole_message_can_be_refused_after_the_final_dot() {
    let world = World::new();
    let house = world.house().await;
    world.server.will(Answer::AfterDot(554));
    let rejected = house.send("Spam").await.unwrap();
    assert_eq!((rejected.state, rejected.rejected[0].code), (OutboxState::Rejected, 554));
    world.server.will(Answer::AfterDot(451));
    let deferred = house.send("Later").await.unwrap();
    assert_eq!(deferred.state, OutboxState::Queued);
    house.sweep_later(&world, 60).await;
    assert_eq!(house.state(&deferred.id).await, OutboxState::Done);
}

#[tokio::test]
async fn a_connection_that_dies_with_the_final_dot_is_unknown_and_never_resent() {
    let world = World::new();
    let house = world.house().await;
    for (answer, delivered) in [(Answer::CutAfterDelivery, 1), (Answer::CutBeforeDelivery, 0)] {
        world.server.will(answer);
        let receipt = house.send(&format!("Cut {delivered}")).await.unwrap();
        assert_eq!((receipt.state, receipt.saved_to_sent), (OutboxState::Unknown, None));
        assert!(receipt.accepted.is_empty());
        let again = house.send(&format!("Cut {delivered}")).await.unwrap();
        assert_eq!((again.id, again.repeated), (receipt.id.clone(), true));
        for _ in 0..40 {
            house.sweep_later(&world, 3600).await;
        }
        let seen = house.entry(&receipt.id).await;
        assert_eq!((seen.state, seen.next_attempt_at), (OutboxState::Unknown, None), "and it is told");
        assert!(seen.looks > 20);
        let taken = world.server.taken().into_iter().filter(|(id, _)| *id == receipt.message_id).count();
        assert_eq!(taken, delivered);
        assert_eq!(world.sent.copies(&receipt.message_id), 0);
    }
}

#[tokio::test]
async fn an_unknown_message_that_is_found_in_sent_was_sent() {
    let world = World::new();
    let house = world.house().await;
    world.server.will(Answer::CutAfterDelivery);
    let receipt = house.send("Found").await.unwrap();
    house.sweep_later(&world, 60).await;
    assert_eq!(house.state(&receipt.id).await, OutboxState::Unknown);
    world.sent.save(format!("Message-ID: <{}>\r\n\r\nx", receipt.message_id));
    house.sweep_later(&world, 60).await;
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.saved_to_sent), (OutboxState::Done, Some(true)));
    assert_eq!(seen.accepted, ["a@example.org"]);
    assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1));
}

#[tokio::test]
async fn a_refused_login_is_told_to_who_waits_and_cancels() {
    let world = World::new();
    let house = world.house().await;
    world.server.will(MailError::LoginRefused);
    assert!(matches!(house.send_keyed("k").await, Err(DeliveryError::Mail(MailError::LoginRefused))));
    assert!(matches!(house.send_keyed("k").await, Err(DeliveryError::Account(_))), "and not tried again");
    house.accounts.set_password(&house.principal.user, &house.account.id, &"new".into()).await.unwrap();
    let second = house.send_keyed("k").await.unwrap();
    assert_eq!((second.state, second.repeated), (OutboxState::Done, false));
}

#[tokio::test]
async fn a_message_without_a_caller_waits_for_the_account_to_be_mended() {
    let world = World::new();
    let house = world.house().await;
    world.server.will(deferred(451));
    world.server.will(MailError::LoginRefused);
    let receipt = house.send("Waits").await.unwrap();
    house.sweep_later(&world, 60).await;
    house.sweep_later(&world, 300).await;
    let seen = house.entry(&receipt.id).await;
    assert_eq!(
        (seen.state, seen.last_error.as_ref().map(Trouble::code).as_deref()),
        (OutboxState::Queued, Some("auth_failed"))
    );
    house.accounts.set_password(&house.principal.user, &house.account.id, &"new".into()).await.unwrap();
    house.sweep_later(&world, 3600).await;
    assert_eq!(house.state(&receipt.id).await, OutboxState::Done);
}

#[tokio::test]
async fn an_account_found_locked_after_the_record_cancels_it() {
    let world = World::new();
    let house = world.house().await;
    house.outbox.locks_out.store(true, Ordering::SeqCst);
    assert!(matches!(house.send_keyed("k").await, Err(DeliveryError::Account(_))));
    house.sweep_later(&world, 3600).await;
    assert!(world.server.taken().is_empty());
}

/// As long as the database is away, and longer than a lease.
#[tokio::test(start_paused = true)]
async fn a_mail_that_left_is_recorded_as_sent_however_long_the_database_is_away() {
    let world = World::new();
    let house = world.house().await;
    for failures in [1, 4, 40] {
        house.outbox.forgets.store(failures, Ordering::SeqCst);
        let receipt = house.send(&format!("Away {failures}")).await.unwrap();
        assert_eq!(house.outbox.forgets.load(Ordering::SeqCst), 0);
        assert_eq!((receipt.accepted.len(), receipt.state), (1, house.state(&receipt.id).await));
        house.sweep_later(&world, 31).await;
        assert_eq!(house.state(&receipt.id).await, OutboxState::Done, "and never unknown");
        assert_eq!(world.sent.copies(&receipt.message_id), 1);
    }
    assert_eq!(world.server.taken().len(), 3);
}

/// What the server said after the dot is not forgotten either: the message would be unknown instead of tried again.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_recorded_however_long_the_database_is_away() {
    let world = World::new();
    let house = world.house().await;
    for (answer, state) in [(451, OutboxState::Queued), (554, OutboxState::Rejected)] {
        house.outbox.forgets.store(6, Ordering::SeqCst);
        world.server.will(Answer::AfterDot(answer));
        let receipt = house.send(&format!("Refused {answer}")).await.unwrap();
        assert_eq!((receipt.state, house.state(&receipt.id).await), (state, state));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_fifty_times_at_once_is_one_message() {
    let world = World::new();
    let house = Arc::new(world.house().await);
    let sends: Vec<_> = (0..50)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { house.send_keyed("fifty").await.unwrap() })
        })
        .collect();
    let mut ids = Vec::new();
    for send in sends {
        ids.push(send.await.unwrap().id);
    }
    ids.dedup();
    assert_eq!((ids.len(), world.server.taken().len()), (1, 1));
}

#[tokio::test]
async fn the_reason_to_wait_is_that_of_the_recipient_who_is_tried_again() {
    let (a, b, c) = ("a@example.org", "b@example.org", "c@example.org");
    for refused in [vec![(b, 550), (c, 450)], vec![(b, 450), (c, 550)]] {
        let world = World::new();
        let house = world.house().await;
        world.server.will(Answer::Refuses(refused.clone()));
        let receipt = house.send_to(&[a, b, c]).await.unwrap();
        let told = receipt.last_error.as_ref().map(Trouble::code);
        assert_eq!((receipt.state, told.as_deref()), (OutboxState::Queued, Some("450")), "{refused:?}");
    }
}

#[tokio::test]
async fn an_unknown_retry_says_nothing_of_those_who_have_it() {
    let world = World::new();
    let house = world.house().await;
    let (a, b, c) = ("a@example.org", "b@example.org", "c@example.org");
    world.server.will(Answer::Refuses(vec![(b, 450), (c, 550)]));
    world.server.will(Answer::CutAfterDelivery);
    let receipt = house.send_to(&[a, b, c]).await.unwrap();
    for _ in 0..40 {
        house.sweep_later(&world, 3600).await;
    }
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.saved_to_sent), (OutboxState::Unknown, Some(true)));
    assert_eq!(seen.accepted, [a], "the copy in Sent is the first try's");
    let mut codes: Vec<_> = seen.rejected.iter().map(|refusal| (&*refusal.address, refusal.code)).collect();
    codes.sort_unstable();
    assert_eq!(codes, [(b, 450), (c, 550)]);
    assert_eq!(world.server.taken().len(), 2);
}

#[tokio::test]
async fn a_recipient_refused_for_good_is_not_tried_with_the_others() {
    let world = World::new();
    let house = world.house().await;
    let (a, b) = ("a@example.org", "b@example.org");
    world.server.will(Answer::RefusesThen(vec![(b, 550)], 451));
    let receipt = house.send_to(&[a, b]).await.unwrap();
    assert_eq!(receipt.state, OutboxState::Queued);
    house.sweep_later(&world, 60).await;
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.accepted.len(), seen.rejected[0].code), (OutboxState::Done, 1, 550));
    assert_eq!(world.server.taken(), [(receipt.message_id, vec![a.to_owned()])]);
}

/// Logins that fail, with what is told of them.
const LOGINS: [(MailError, &str); 6] = [
    (MailError::LoginRefused, "auth_failed"),
    (MailError::LoginFailed, "login_failed"),
    (MailError::LoginUnavailable, "login_unavailable"),
    (MailError::AppPassword, "app_password_needed"),
    (MailError::SubmissionOff, "smtp_auth_off"),
    (MailError::NoMechanism, "no_mechanism"),
];

/// A message that leaves in a minute.
async fn in_a_minute(world: &World, house: &House) -> Receipt {
    let at = Some(world.clock.now().plus_seconds(60));
    let later = Request { send_at: at, ..house.request("Later") };
    house.delivery.send(&house.principal, later).await.unwrap()
}

#[tokio::test]
async fn what_waits_for_its_account_leaves_when_the_account_is_mended() {
    for (error, code) in LOGINS {
        let world = World::new();
        let house = world.house().await;
        let receipt = in_a_minute(&world, &house).await;
        world.server.will(error);
        house.sweep_later(&world, 60).await;
        let seen = house.entry(&receipt.id).await;
        assert_eq!(
            (seen.state, seen.last_error.as_ref().map(Trouble::code).as_deref()),
            (OutboxState::Queued, Some(code))
        );
        assert!(seen.next_attempt_at.is_some() && seen.cancellable, "{code}");
        let (user, account) = (&house.principal.user, &house.account.id);
        house.accounts.set_password(user, account, &"new".into()).await.unwrap();
        assert_eq!(house.delivery.resume(user, account).await.unwrap(), 1, "{code}");
        // at once
        house.delivery.sweep().await.unwrap();
        assert_eq!(house.state(&receipt.id).await, OutboxState::Done, "{code}");
        assert_eq!((world.server.taken().len(), world.sent.copies(&receipt.message_id)), (1, 1), "{code}");
    }
}

#[tokio::test]
async fn what_waits_for_its_account_is_given_up_after_a_day() {
    for (error, code) in LOGINS {
        let world = World::new();
        let house = world.house().await;
        let receipt = in_a_minute(&world, &house).await;
        for _ in 0..60 {
            world.server.will(error.clone());
        }
        house.sweep_later(&world, 60).await;
        for _ in 0..23 {
            house.sweep_later(&world, 3600).await;
            assert_eq!(house.state(&receipt.id).await, OutboxState::Queued, "{code}");
        }
        for _ in 0..2 {
            house.sweep_later(&world, 3600).await;
        }
        let seen = house.entry(&receipt.id).await;
        assert_eq!((seen.state, seen.next_attempt_at), (OutboxState::Cancelled, None), "{code}");
        assert!(seen.last_error.is_some() && world.server.taken().is_empty(), "{code}");
    }
}

#[tokio::test]
async fn mending_an_account_hurries_nothing_that_waits_for_something_else() {
    let world = World::new();
    let house = world.house().await;
    let now = world.clock.now();
    let scheduled = Request { send_at: Some(now.plus_seconds(3600)), ..house.request("At its time") };
    let scheduled = house.delivery.send(&house.principal, scheduled).await.unwrap();
    let (user, account) = (&house.principal.user, &house.account.id);
    assert_eq!(house.delivery.resume(user, account).await.unwrap(), 0);
    let strangers = [(builders::user_id("other"), account.clone()), (user.clone(), "acc_x".parse().unwrap())];
    world.server.will(deferred(451));
    let deferred = house.send("Deferred").await.unwrap();
    for (user, account) in strangers {
        assert_eq!(house.delivery.resume(&user, &account).await.unwrap(), 0);
    }
    house.delivery.sweep().await.unwrap();
    assert_eq!(house.state(&scheduled.id).await, OutboxState::Queued);
    assert_eq!(house.state(&deferred.id).await, OutboxState::Queued);
    assert!(world.server.taken().is_empty());
}
