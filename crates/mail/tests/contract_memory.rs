//! The mailbox in memory keeps the promises of a mailbox.

use imapmcp_core::{
    account::Login,
    mail::{MailStore, Page, Submission, SubmissionEnvelope},
};
use imapmcp_mail::memory::MemoryMail;
use imapmcp_testkit::{
    FakeClock,
    builders::demo_login,
    contract::{
        self,
        mail::{Abilities, Stage},
    },
};
use std::sync::Arc;

#[tokio::test]
async fn the_mailbox_in_memory_keeps_the_contract() {
    let mail = MemoryMail::empty(Arc::new(FakeClock::default()));
    let ada = demo_login("ada");
    for folder in contract::mail::FOLDERS {
        mail.add_folder(&ada, folder);
    }
    let deliver = |folder: &str, message: &str, at| {
        mail.deliver(&ada, folder, message.to_owned().into(), at).unwrap();
    };
    let mailbox = mail.mailbox(&ada);
    let stage = Stage { mailbox: &*mailbox, deliver: &deliver, abilities: Abilities::ALL };
    contract::mail::mailbox(stage).await;
}

#[tokio::test]
async fn mail_to_oneself_arrives_and_mail_to_others_goes_nowhere() {
    let mail = MemoryMail::new(Arc::new(FakeClock::default()));
    let (ada, bob) = (demo_login("ada"), demo_login("bob"));
    let newest = async |login: &Login| {
        mail.mailbox(login).list(&"INBOX".into(), &Page { limit: 1, after: None }).await.unwrap()
    };
    let before = newest(&ada).await.total;
    assert!(before > 50);
    let to = ["Ada@example.org".to_owned(), "someone@example.com".to_owned()];
    let envelope = SubmissionEnvelope::new("ada@example.org", &to).unwrap();
    let sent =
        mail.submit(&ada, &envelope, &"Subject: note to self\r\n\r\nremember\r\n".into()).await.unwrap();
    assert_eq!((sent.accepted.len(), sent.refused.len()), (2, 0));
    let after = newest(&ada).await;
    assert_eq!(after.total, before + 1);
    assert_eq!(after.messages[0].envelope.subject.as_deref(), Some("note to self"));
    assert_eq!(newest(&bob).await.total, before, "accounts do not see each other");
    mail.forget(&ada.account);
    assert_eq!(newest(&ada).await.total, before, "a forgotten mailbox starts anew");
}
