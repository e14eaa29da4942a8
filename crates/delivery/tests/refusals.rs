//! What real servers refuse and put off: a Dovecot with a quota, a Postfix that greylists. Only the clock is not real.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_accounts::NewAccount;
use imapmcp_core::{
    account::{Account, AuthKind, Backend, Endpoint, Security},
    id::OutboxId,
    oauth::Principal,
    outbox::{OutboxState, Trouble},
};
use imapmcp_delivery::{Delivery, OutboxView, Receipt, Request};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_mime::compose::{Letter, NamedAddress};
use imapmcp_testhouse::{add_owner, ground};
use imapmcp_testkit::{
    FakeClock,
    servers::{GREYLISTED, LATER, MailServers, NOBODY},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const PASSWORD: &str = "a mail password";

struct House {
    servers: MailServers,
    me: String,
    clock: Arc<FakeClock>,
    delivery: Delivery,
    account: Account,
    principal: Principal,
}

impl House {
    async fn new() -> Option<Self> {
        let servers = MailServers::start()?;
        let me = servers.add_user("me", PASSWORD);
        let clock = Arc::new(FakeClock::default());
        let mut options = MailOptions::new(Arc::new(Dialer::new(servers.egress().parse().unwrap())));
        options.ca_file = Some(servers.ca_file());
        let ground = ground(&Arc::new(Mail::new(options).unwrap()), clock.clone()).await;
        let principal = add_owner(&ground).await;
        let accounts = Arc::new(ground.accounts());
        let endpoint = |port, security| Endpoint { host: "localhost".into(), port, security };
        let new = NewAccount {
            label: "Me".into(),
            email: me.clone(),
            from_name: None,
            backend: Backend::Servers {
                imap: endpoint(servers.imaps_port, Security::Tls),
                smtp: endpoint(servers.smtp_port, Security::StartTls),
            },
            imap_username: me.clone(),
            smtp_username: me.clone(),
            auth: AuthKind::Password,
            password: PASSWORD.into(),
            is_default: true,
        };
        let account = accounts.add(&principal.user, new).await.unwrap();
        let delivery = ground.delivery(&accounts, &ground.parcels());
        Some(Self { servers, me, clock, delivery, account, principal })
    }

    async fn send(&self, to: &[&str], subject: &str, text: &str) -> Receipt {
        let request = Request {
            account: self.account.id.clone(),
            letter: Letter {
                to: to.iter().map(|address| NamedAddress::parse(address).unwrap()).collect(),
                subject: subject.into(),
                text: Some(text.into()),
                ..Letter::default()
            },
            idempotency_key: None,
            send_at: None,
        };
        self.delivery.send(&self.principal, request).await.unwrap()
    }

    async fn sweep_later(&self, seconds: i64) {
        self.clock.advance_seconds(seconds);
        self.delivery.sweep().await.unwrap();
    }

    async fn entry(&self, id: &OutboxId) -> OutboxView {
        self.delivery.find(&self.principal.user, id).await.unwrap().unwrap()
    }

    fn copies(&self, address: &str, folder: &str, message_id: &str) -> usize {
        self.servers.message_ids(address, folder).iter().filter(|id| *id == message_id).count()
    }

    /// How often a message came, once Postfix has handed on whatever it took: a second one would be there too.
    fn delivered(&self, address: &str, message_id: &str) -> usize {
        let mut watch = self.servers.watch(address, PASSWORD, "INBOX");
        while self.copies(address, "INBOX", message_id) == 0 {
            watch.news();
        }
        let begun = Instant::now();
        while !self.servers.queue_is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "Postfix keeps something");
            std::thread::yield_now();
        }
        self.copies(address, "INBOX", message_id)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_is_told_and_gets_its_copy_once_there_is_room() {
    let Some(house) = House::new().await else { return };
    let you = house.servers.add_user("you", PASSWORD);
    house.servers.limit(&house.me, Some(4000));
    let text = "a line of a text that needs room\n".repeat(300);
    let receipt = house.send(&[&you], "Too long to keep", &text).await;
    assert_eq!((receipt.state, receipt.saved_to_sent), (OutboxState::Accepted, Some(false)));
    assert_eq!(
        (receipt.accepted, receipt.last_error.as_ref().map(Trouble::code).as_deref()),
        (vec![you.clone()], Some("OVERQUOTA"))
    );
    assert_eq!(house.delivered(&you, &receipt.message_id), 1);
    // asked for again, it is not sent again
    let again = house.send(&[&you], "Too long to keep", &text).await;
    assert_eq!((again.repeated, again.saved_to_sent), (true, Some(false)));
    for seconds in [60, 300] {
        house.sweep_later(seconds).await;
        assert_eq!(house.entry(&receipt.id).await.saved_to_sent, Some(false));
    }
    assert_eq!(house.copies(&house.me, "Sent", &receipt.message_id), 0);
    house.servers.limit(&house.me, None);
    house.sweep_later(900).await;
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.saved_to_sent, seen.last_error), (OutboxState::Done, Some(true), None));
    house.sweep_later(24 * 3600).await;
    assert_eq!(house.copies(&house.me, "Sent", &receipt.message_id), 1);
    assert_eq!(house.delivered(&you, &receipt.message_id), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_greylist_puts_off_is_delivered_once_a_minute_later() {
    let Some(house) = House::new().await else { return };
    let greylisted = house.servers.add_user("greylisted", PASSWORD);
    assert_eq!(greylisted, GREYLISTED);
    let receipt = house.send(&[GREYLISTED], "Patience", "x").await;
    assert_eq!((receipt.state, receipt.saved_to_sent), (OutboxState::Queued, None));
    assert_eq!(
        (receipt.last_error.as_ref().map(Trouble::code).as_deref(), house.servers.greylisted_tries()),
        (Some("451"), 1)
    );
    house.sweep_later(30).await;
    assert_eq!(house.servers.greylisted_tries(), 1, "not before its time");
    house.sweep_later(60).await;
    let seen = house.entry(&receipt.id).await;
    assert_eq!((seen.state, seen.saved_to_sent, seen.attempts), (OutboxState::Done, Some(true), 2));
    assert_eq!((seen.accepted, seen.rejected.len()), (vec![GREYLISTED.to_owned()], 0));
    for _ in 0..5 {
        house.sweep_later(3600).await;
    }
    assert_eq!(house.servers.greylisted_tries(), 2);
    assert_eq!(house.delivered(GREYLISTED, &receipt.message_id), 1);
    assert_eq!(house.copies(&house.me, "Sent", &receipt.message_id), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_recipient_has_its_own_result() {
    let Some(house) = House::new().await else { return };
    let (ada, bob) = (house.servers.add_user("ada", PASSWORD), house.servers.add_user("bob", PASSWORD));
    house.servers.add_user("greylisted", PASSWORD);
    let receipt = house.send(&[&ada, NOBODY, &bob], "One of three is nobody", "x").await;
    assert_eq!((receipt.state, receipt.saved_to_sent), (OutboxState::Done, Some(true)));
    assert_eq!(receipt.accepted, [ada.clone(), bob.clone()]);
    let refused = &receipt.rejected[0];
    assert_eq!((receipt.rejected.len(), &*refused.address, refused.code), (1, NOBODY, 550));
    assert_eq!(refused.enhanced.as_deref(), Some("5.1.1"));
    for address in [&ada, &bob] {
        assert_eq!(house.delivered(address, &receipt.message_id), 1, "{address}");
    }

    // one has it, one gets it a minute later, one never, one is put off for good
    let mixed = house.send(&[&ada, GREYLISTED, NOBODY, LATER], "Four fates", "x").await;
    assert_eq!((mixed.state, mixed.accepted), (OutboxState::Queued, vec![ada.clone()]));
    house.sweep_later(60).await;
    let seen = house.entry(&mixed.id).await;
    assert_eq!(seen.accepted, [ada.clone(), GREYLISTED.to_owned()]);
    for _ in 0..30 {
        house.sweep_later(3600).await;
    }
    let seen = house.entry(&mixed.id).await;
    assert_eq!((seen.state, seen.accepted.len(), seen.saved_to_sent), (OutboxState::Done, 2, Some(true)));
    let mut codes: Vec<_> = seen.rejected.iter().map(|refusal| (&*refusal.address, refusal.code)).collect();
    codes.sort_unstable();
    assert_eq!(codes, [(LATER, 450), (NOBODY, 550)]);
    for address in [&*ada, GREYLISTED] {
        assert_eq!(house.delivered(address, &mixed.message_id), 1, "{address}");
    }
    assert_eq!(house.copies(&house.me, "Sent", &mixed.message_id), 1);
}
