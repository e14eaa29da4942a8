//! `Mailbox` over the connections of an account.

use super::{
    account::Account,
    fault::Fault,
    search::reads_bodies,
    session::Session,
    tap::{Piece, Sink},
};
use crate::{decode::Decoder, wire_text};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use imapmcp_core::mail::{
    Criterion, Flag, FlagChange, Folder, Listing, Locator, MailError, Mailbox, Message, MessageRef, Outcome,
    Page, Part,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, error::TrySendError},
    time::timeout,
};

/// Largest section read into memory.
const MAX_SECTION: u32 = 32 << 20;
/// Chunks between the thread that reads and the caller; each is one TLS record at most.
const AHEAD: usize = 16;
/// Longest a stream may take in all: a bound for threads, not for people.
const MAX_STREAM: Duration = Duration::from_hours(6);

type Chunk = Result<Bytes, MailError>;

/// A mailbox on an IMAP server.
pub(super) struct ImapMailbox(pub(super) Arc<Account>);

impl ImapMailbox {
    fn limits(&self) -> (Duration, Duration) {
        (self.0.shared.timeouts.silence, self.0.shared.timeouts.command)
    }

    /// Runs a command that changes nothing: once more on a fresh connection if a reused one proves dead.
    async fn read<T: Send + 'static>(
        &self,
        folder: Option<&str>,
        (silence, deadline): (Duration, Duration),
        work: impl FnOnce(&mut Session) -> Result<T, Fault> + Clone + Send + 'static,
    ) -> Result<T, MailError> {
        let lease = self.0.lease(folder, false).await?;
        let reused = lease.reused;
        match lease.run(silence, deadline, work.clone()).await {
            Err(Fault::Lost(_)) if reused => {
                let lease = self.0.lease(folder, true).await?;
                lease.run(silence, deadline, work).await.map_err(Fault::into_error)
            }
            result => result.map_err(Fault::into_error),
        }
    }

    /// Runs a command that changes something: once.
    async fn write<T: Send + 'static>(
        &self,
        folder: Option<&str>,
        deadline: Duration,
        work: impl FnOnce(&mut Session) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, MailError> {
        let lease = self.0.lease(folder, false).await?;
        lease.run(self.0.shared.timeouts.silence, deadline, work).await.map_err(Fault::into_error)
    }
}

/// INBOX in any case is INBOX (RFC 9051 §5.1).
fn canonical(folder: &str) -> Result<String, MailError> {
    wire_text::folder(folder)?;
    Ok(if folder.eq_ignore_ascii_case("INBOX") { "INBOX".to_owned() } else { folder.to_owned() })
}

fn located(at: &Locator) -> Result<Locator, MailError> {
    let folder = canonical(&at.folder)?;
    if at.uid == 0 { Err(MailError::Gone) } else { Ok(Locator { folder, ..*at }) }
}

#[async_trait]
impl Mailbox for ImapMailbox {
    async fn folders(&self, counts: bool) -> Result<Vec<Folder>, MailError> {
        self.read(None, self.limits(), move |session| session.folders(counts)).await
    }

    async fn list(&self, folder: &str, page: &Page) -> Result<Listing, MailError> {
        let (folder, page) = (canonical(folder)?, page.clone());
        wire_text::limit(page.limit)?;
        let name = folder.clone();
        self.read(Some(&name), self.limits(), move |session| session.list(&folder, &page, page.limit)).await
    }

    async fn search(&self, folder: &str, criterion: &Criterion, page: &Page) -> Result<Listing, MailError> {
        let (folder, page, criterion) = (canonical(folder)?, page.clone(), criterion.clone());
        wire_text::limit(page.limit)?;
        wire_text::criterion(&criterion)?;
        let long = self.0.shared.timeouts.body_search;
        let limits = if reads_bodies(&criterion) { (long, long) } else { self.limits() };
        let name = folder.clone();
        self.read(Some(&name), limits, move |session| session.search(&folder, &criterion, &page, page.limit))
            .await
    }

    async fn message(&self, at: &Locator) -> Result<Message, MailError> {
        let at = located(at)?;
        let name = at.folder.clone();
        self.read(Some(&name), self.limits(), move |session| session.message(&at)).await
    }

    async fn section(&self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, MailError> {
        let (at, section) = (located(at)?, section.to_owned());
        wire_text::section(&section)?;
        if limit == 0 || limit > MAX_SECTION {
            return Err(MailError::Invalid("the limit of a section is 1 octet to 32 MiB"));
        }
        let name = at.folder.clone();
        self.read(Some(&name), self.limits(), move |session| session.section(&at, &section, limit)).await
    }

    async fn stream(&self, at: &Locator, part: &Part) -> Result<BoxStream<'static, Chunk>, MailError> {
        let at = located(at)?;
        wire_text::section(&part.section)?;
        let permit = self.0.stream_permit().await?;
        let (sender, mut receiver) = mpsc::channel(AHEAD);
        let reader = Reader { account: Arc::clone(&self.0), at, part: part.clone(), sender };
        tokio::spawn(async move {
            reader.run().await;
            drop(permit);
        });
        // The first item is empty and says that there is such a part.
        match receiver.recv().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error),
            None => return Err(MailError::Protocol),
        }
        Ok(Box::pin(stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|chunk| (chunk, receiver))
        })))
    }

    async fn change_flags(
        &self,
        folder: &str,
        uid_validity: Option<u32>,
        uids: &[u32],
        change: &FlagChange,
    ) -> Result<Outcome, MailError> {
        let (folder, uids, change) = (canonical(folder)?, wire_text::uids(uids)?, change.clone());
        let name = folder.clone();
        let work = move |session: &mut Session| session.change_flags(&folder, uid_validity, &uids, &change);
        self.write(Some(&name), self.0.shared.timeouts.command, work).await
    }

    async fn append(
        &self,
        folder: &str,
        message: Bytes,
        flags: &[Flag],
    ) -> Result<Option<MessageRef>, MailError> {
        let (folder, flags) = (canonical(folder)?, flags.to_vec());
        // Ten seconds more per megabyte: a large message over a slow line is not a hang.
        let extra =
            Duration::from_secs(10).saturating_mul(u32::try_from(message.len() >> 20).unwrap_or(u32::MAX));
        let deadline = self.0.shared.timeouts.command.saturating_add(extra);
        self.write(None, deadline, move |session| session.append(&folder, message, &flags)).await
    }
}

/// Reads one part and sends it on.
struct Reader {
    account: Arc<Account>,
    at: Locator,
    part: Part,
    sender: mpsc::Sender<Chunk>,
}

impl Reader {
    async fn run(self) {
        let started = Arc::new(AtomicBool::new(false));
        let mut result = self.attempt(false, &started).await;
        if matches!(result, Err((Fault::Lost(_), true))) && !started.load(Ordering::Acquire) {
            result = self.attempt(true, &started).await;
        }
        if let Err((fault, _)) = result {
            // The caller may be gone; then nobody needs to know.
            let _ =
                timeout(self.account.shared.timeouts.stall, self.sender.send(Err(fault.into_error()))).await;
        }
    }

    /// One try; with the failure, whether the connection was a reused one.
    async fn attempt(&self, fresh: bool, started: &Arc<AtomicBool>) -> Result<(), (Fault, bool)> {
        let lease = self.account.lease(Some(&self.at.folder), fresh).await;
        let lease = lease.map_err(|error| (Fault::Broken(error), false))?;
        let (reused, stall) = (lease.reused, self.account.shared.timeouts.stall);
        let sink = self.sink(Arc::clone(started), stall);
        let (at, section) = (self.at.clone(), self.part.section.clone());
        let work = lease.run(stall, MAX_STREAM, move |session| session.stream(&at, &section, sink));
        tokio::select! {
            result = work => result.map_err(|fault| (fault, reused)),
            // Dropping the work cuts the connection, so that a silent server does not keep the thread.
            () = self.sender.closed() => Ok(()),
        }
    }

    fn sink(&self, started: Arc<AtomicBool>, stall: Duration) -> Sink {
        let (sender, runtime) = (self.sender.clone(), Handle::current());
        let mut decoder = Decoder::new(&self.part.encoding);
        Box::new(move |piece| {
            let mut out = Vec::new();
            match piece {
                Piece::Start => started.store(true, Ordering::Release),
                Piece::Octets(octets) => decoder.push(octets, &mut out),
                Piece::End => decoder.finish(&mut out),
            }
            if out.is_empty() && !matches!(piece, Piece::Start) {
                return true;
            }
            match sender.try_send(Ok(out.into())) {
                Ok(()) => true,
                Err(TrySendError::Closed(_)) => false,
                Err(TrySendError::Full(chunk)) => runtime.block_on(async {
                    timeout(stall, sender.send(chunk)).await.is_ok_and(|sent| sent.is_ok())
                }),
            }
        })
    }
}
