//! One person's silent server holds up nobody else's messages.

use crate::world::{SILENT, World, new_account};
use imapmcp_core::{
    oauth::Principal,
    store::{PersonalTokenRepository, UserRepository},
};
use imapmcp_delivery::Request;
use imapmcp_testkit::builders;
use std::{sync::atomic::Ordering, time::Duration};

#[tokio::test(flavor = "multi_thread")]
async fn sixty_messages_for_a_silent_server_leave_room_for_everybody_else() {
    let world = World::new();
    let house = world.house().await;
    let owner = &house.principal;
    let silent = house.accounts.add(&owner.user, new_account(SILENT)).await.unwrap();
    let at = Some(builders::NOON.plus_seconds(10));
    for number in 0..60 {
        let request =
            Request { account: silent.id.clone(), send_at: at, ..house.request(&format!("Silent {number}")) };
        house.delivery.send(owner, request).await.unwrap();
    }
    // of the same person from another account, and of somebody else, both a second later
    let later = Some(builders::NOON.plus_seconds(11));
    let own = Request { send_at: later, ..house.request("Own") };
    house.delivery.send(owner, own).await.unwrap();
    let other = builders::user("other");
    let database = &house.outbox.database;
    database.add_user(&other).await.unwrap();
    let grant = builders::grant("other", &other.id, &owner.client);
    database.add_personal_token(&grant, &builders::personal_token("other", &grant)).await.unwrap();
    let account = house.accounts.add(&other.id, new_account("smtp.example.org")).await.unwrap();
    let theirs = Request { account: account.id.clone(), send_at: later, ..house.request("Theirs") };
    let principal = Principal { user: other.id, grant: grant.id, ..owner.clone() };
    house.delivery.send(&principal, theirs).await.unwrap();

    world.clock.advance_seconds(11);
    let worker = tokio::spawn({
        let delivery = house.delivery.clone();
        async move { delivery.run().await }
    });
    let both = async {
        while world.server.taken().len() < 2 || world.server.silenced.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), both).await.expect("within five seconds of their time");
    assert_eq!(world.server.silenced.load(Ordering::SeqCst), 2, "two connections of the silent account");
    worker.abort();
}
