//! What cannot be done is said so, and does no harm.

use super::{SIMPLE, append, find, newest, page};
use imapmcp_core::mail::{
    Criterion, Flag, FlagChange, Locator, MailError, Mailbox, MessageRef, Messages, Part, ThreadScope,
    TransferKind,
};

const SCOPE: ThreadScope = ThreadScope { cross_folder: true, limit: 50, beginning: 0 };

pub(super) async fn what_is_not_there_is_said_so(mailbox: &dyn Mailbox) {
    let at = append(mailbox, "Sent", SIMPLE, &[]).await;
    let here: Locator = at.clone().into();
    let gone = Locator { uid: at.uid + 99, ..here.clone() };
    let stale = Locator { uid_validity: Some(at.uid_validity + 1), ..here.clone() };
    let nowhere = Locator { folder: "No such/folder".into(), uid_validity: None, uid: 1 };
    let part = Part { section: "1".into(), media_type: "text/plain".into(), ..Part::default() };
    for (locator, error) in
        [(gone, MailError::Gone), (stale, MailError::Stale), (nowhere, MailError::NoFolder)]
    {
        assert_eq!(mailbox.message(&locator, 10).await.unwrap_err(), error);
        assert_eq!(mailbox.section(&locator, "1", 10).await.unwrap_err(), error);
        assert_eq!(mailbox.stream(&locator, &part).await.err().unwrap(), error);
    }
    assert_eq!(mailbox.list(&"Nowhere".into(), &page(5, None)).await.unwrap_err(), MailError::NoFolder);
    let seen = mailbox.search(&"Nowhere".into(), &Criterion::Seen, &page(5, None)).await;
    assert_eq!(seen.unwrap_err(), MailError::NoFolder);
    assert_eq!(mailbox.append(&"Nowhere".into(), "x".into(), &[]).await.unwrap_err(), MailError::NoFolder);
    let change = FlagChange { add: vec![Flag::seen()], remove: vec![] };
    assert_eq!(
        mailbox.change_flags(&Messages::new("Nowhere", None, &[1]), &change).await.unwrap_err(),
        MailError::NoFolder
    );
    let thread = mailbox.thread(&Locator { uid: at.uid + 99, ..here.clone() }, &SCOPE).await;
    assert_eq!(thread.unwrap_err(), MailError::Gone);
    let nothing = MessageRef { folder: "Nowhere".into(), uid_validity: 1, uid: 1 };
    assert_eq!(mailbox.find_again(&nothing).await, Ok(None));
    assert_eq!(
        mailbox.expunge(&Messages::new("Nowhere", None, &[1])).await.unwrap_err(),
        MailError::NoFolder
    );
    assert_eq!(mailbox.delete_folder(&"Nowhere".into()).await.unwrap_err(), MailError::NoFolder);
    assert!(matches!(mailbox.section(&here, "9.9", 10).await, Err(MailError::Invalid(_))));
    let missing = Part { section: "9.9".into(), ..part };
    assert!(matches!(mailbox.stream(&here, &missing).await, Err(MailError::Invalid(_))));
    assert!(mailbox.message(&here, 10).await.is_ok(), "none of this disturbed the mailbox");
}

pub(super) async fn injections_are_invalid(mailbox: &dyn Mailbox) {
    fn invalid<T>(result: Result<T, MailError>) {
        assert!(matches!(result.err(), Some(MailError::Invalid(_))));
    }
    for evil in ["INBOX\r\nx LOGOUT", "INBOX\n", "a\0b", ""] {
        invalid(mailbox.list(&evil.into(), &page(5, None)).await);
        invalid(mailbox.append(&evil.into(), "x".into(), &[]).await);
        let at = Locator { folder: evil.into(), uid_validity: None, uid: 1 };
        invalid(mailbox.message(&at, 10).await);
        invalid(mailbox.thread(&at, &SCOPE).await);
        invalid(
            mailbox.transfer(&Messages::new("INBOX", None, &[1]), &evil.into(), TransferKind::Copy).await,
        );
        invalid(
            mailbox.transfer(&Messages::new(evil, None, &[1]), &"INBOX".into(), TransferKind::Move).await,
        );
        invalid(mailbox.expunge(&Messages::new(evil, None, &[1])).await);
        invalid(mailbox.create_folder(&evil.into()).await);
        invalid(mailbox.rename_folder(&"Sent".into(), &evil.into()).await);
        invalid(mailbox.delete_folder(&evil.into()).await);
        invalid(mailbox.change_flags(&Messages::new(evil, None, &[1]), &FlagChange::default()).await);
    }
    for evil in ["a\r\nx DELETE INBOX", "a\0"] {
        invalid(mailbox.search(&"INBOX".into(), &Criterion::Subject(evil.into()), &page(5, None)).await);
    }
    let at = Locator { folder: "INBOX".into(), uid_validity: None, uid: 1 };
    for evil in ["1] FLAGS BODY[2", "1\r\nx LOGOUT", "HEADER.FIELDS (X)"] {
        invalid(mailbox.section(&at, evil, 10).await);
        invalid(mailbox.stream(&at, &Part { section: evil.into(), ..Part::default() }).await);
    }
    invalid(mailbox.list(&"INBOX".into(), &page(0, None)).await);
    invalid(mailbox.list(&"INBOX".into(), &page(201, None)).await);
    // Quotes and braces are ordinary text.
    for odd in ["\"", "\\", "{5}", "{5+}", "* OK", ")", "%", "a\" LOGOUT \""] {
        assert!(find(mailbox, "INBOX", Criterion::Subject(odd.into())).await.is_empty(), "{odd}");
        assert_eq!(
            mailbox.list(&odd.into(), &page(5, None)).await.unwrap_err(),
            MailError::NoFolder,
            "{odd}"
        );
    }
    assert!(newest(mailbox, "INBOX").await.total > 0);
}
