use super::{Points, server::message_id};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use imapmcp_core::{
    account::Login,
    id::AccountId,
    mail::{
        Beginning, Criterion, Envelope, Envelopes, Flag, FlagChange, Folder, FolderName, Folders, Listing,
        Locator, MailError, MailStore, Mailbox, Message, MessageRef, Messages, Outcome, Outgoing, Page,
        PageCursor, Part, Role, Summary, Thread, ThreadScope, Transfer, TransferKind,
    },
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;

/// A mailbox with a Sent folder. Clones are the same mailbox.
#[derive(Clone)]
pub(crate) struct Sent {
    messages: Arc<Mutex<Vec<Bytes>>>,
    /// Every command fails so.
    pub(crate) fails: Arc<Mutex<Option<MailError>>>,
    /// APPEND fails so.
    pub(crate) append_fails: Arc<Mutex<Option<MailError>>>,
    /// SEARCH gives back everything.
    pub(crate) lies: Arc<AtomicBool>,
    /// Mailboxes opened.
    pub(crate) asked: Arc<AtomicUsize>,
    pub(crate) gate: Arc<Semaphore>,
    points: Arc<Points>,
}

impl Default for Sent {
    fn default() -> Self {
        Self {
            messages: Arc::default(),
            fails: Arc::default(),
            append_fails: Arc::default(),
            lies: Arc::default(),
            asked: Arc::default(),
            gate: Arc::new(Semaphore::new(1)),
            points: Arc::default(),
        }
    }
}

impl Sent {
    pub(crate) fn in_process(&self, points: Arc<Points>) -> Self {
        Self { points, ..self.clone() }
    }

    /// As a provider does by itself.
    pub(crate) fn save(&self, message: impl Into<Bytes>) {
        self.messages.lock().unwrap().push(message.into());
    }

    /// The copy that was saved last.
    pub(crate) fn last(&self) -> Bytes {
        self.messages.lock().unwrap().last().unwrap().clone()
    }

    pub(crate) fn copies(&self, id: &str) -> usize {
        self.messages.lock().unwrap().iter().filter(|message| message_id(message) == id).count()
    }

    fn works(&self) -> Result<(), MailError> {
        self.fails.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl MailStore for Sent {
    fn mailbox(&self, _: &Login) -> Arc<dyn Mailbox> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Arc::new(self.clone())
    }

    async fn probe(&self, _: &Login) -> Result<(), MailError> {
        self.works()
    }

    fn forget(&self, _: &AccountId) {}
}

#[async_trait]
impl Mailbox for Sent {
    async fn folders(&self, _: bool) -> Result<Folders, MailError> {
        self.points.reach("before folders").await;
        self.works()?;
        Ok(Folders::from(vec![Folder {
            name: "Sent".into(),
            delimiter: Some('/'),
            role: Some(Role::Sent),
            selectable: true,
            subscribed: true,
            counts: None,
        }]))
    }

    /// Newest first; a server that lies gives all there are.
    async fn search(
        &self,
        folder: &FolderName,
        criterion: &Criterion,
        page: &Page,
    ) -> Result<Listing, MailError> {
        assert_eq!(*folder, "Sent");
        let Criterion::Header("Message-ID", id) = criterion else { panic!("{criterion:?}") };
        let lies = self.lies.load(Ordering::SeqCst);
        let mut all: Vec<Summary> = (1..)
            .zip(self.messages.lock().unwrap().iter())
            .map(|(uid, message)| (uid, message_id(message)))
            .filter(|(_, found)| lies || found == id)
            .map(|(uid, found)| {
                let message_id = Some(format!("<{found}>"));
                Summary {
                    uid,
                    envelope: Envelope { message_id, ..Envelope::default() },
                    ..Summary::default()
                }
            })
            .collect();
        all.reverse();
        let below = page.after.map_or(u32::MAX, |after| after.uid);
        let rest: Vec<&Summary> = all.iter().filter(|message| message.uid < below).collect();
        let messages: Vec<Summary> = rest.iter().take(page.limit as usize).copied().cloned().collect();
        let next = messages.last().filter(|_| messages.len() < rest.len()).map(|last| PageCursor {
            uid_validity: 1,
            uid: last.uid,
            sequence: 0,
            date: None,
        });
        self.points.reach("after search").await;
        Ok(Listing {
            uid_validity: 1,
            total: u32::try_from(all.len()).unwrap(),
            exact: true,
            messages,
            omitted: Vec::new(),
            unchecked: 0,
            next,
        })
    }

    async fn append(
        &self,
        folder: &FolderName,
        message: Outgoing,
        _: &[Flag],
    ) -> Result<Option<MessageRef>, MailError> {
        assert_eq!(*folder, "Sent");
        self.points.reach("before append").await;
        let _open = self.gate.acquire().await.unwrap();
        if let Some(error) = self.append_fails.lock().unwrap().clone() {
            return Err(error);
        }
        let message = message.collect().await.map_err(|_| MailError::Unreadable)?;
        self.save(message);
        self.points.reach("after append").await;
        Ok(None)
    }

    async fn envelopes(&self, _: &FolderName, _: &Page) -> Result<Envelopes, MailError> {
        unreachable!()
    }

    async fn beginnings(
        &self,
        _: &FolderName,
        _: u32,
        _: &[Beginning],
    ) -> Result<Vec<(Beginning, Bytes)>, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn list(&self, _: &FolderName, _: &Page) -> Result<Listing, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn message(&self, _: &Locator, _: u32) -> Result<Message, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn thread(&self, _: &Locator, _: &ThreadScope) -> Result<Thread, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn find_again(&self, _: &MessageRef) -> Result<Option<MessageRef>, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn section(&self, _: &Locator, _: &str, _: u32) -> Result<Bytes, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn stream(
        &self,
        _: &Locator,
        _: &Part,
    ) -> Result<BoxStream<'static, Result<Bytes, MailError>>, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn change_flags(&self, _: &Messages, _: &FlagChange) -> Result<Outcome, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn transfer(&self, _: &Messages, _: &FolderName, _: TransferKind) -> Result<Transfer, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn expunge(&self, _: &Messages) -> Result<Outcome, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn create_folder(&self, _: &FolderName) -> Result<FolderName, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn rename_folder(&self, _: &FolderName, _: &FolderName) -> Result<FolderName, MailError> {
        unreachable!("the outbox has no use for it")
    }

    async fn delete_folder(&self, _: &FolderName) -> Result<(), MailError> {
        unreachable!("the outbox has no use for it")
    }
}
