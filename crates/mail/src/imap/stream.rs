//! One part as a stream: a thread reads and decodes, the caller's pace is the server's.

use super::{
    account::Account,
    fault::Fault,
    tap::{Piece, Sink},
};
use crate::decode::Decoder;
use bytes::Bytes;
use imapmcp_core::mail::{Locator, MailError, Part};
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

/// Octets that are put together while the reader is behind: each chunk costs a hop from thread to thread.
const CHUNK: usize = 128 * 1024;
/// Longest a stream may take in all: a bound for threads, not for people.
const MAX_STREAM: Duration = Duration::from_hours(6);

pub(super) type Chunk = Result<Bytes, MailError>;

/// Reads one part and sends it on.
pub(super) struct Reader {
    pub(super) account: Arc<Account>,
    pub(super) at: Locator,
    pub(super) part: Part,
    pub(super) sender: mpsc::Sender<Chunk>,
}

impl Reader {
    pub(super) async fn run(self) {
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
        let mut out = Vec::new();
        Box::new(move |piece| {
            match piece {
                Piece::Start => started.store(true, Ordering::Release),
                Piece::Octets(octets) => decoder.push(octets, &mut out),
                Piece::End => decoder.finish(&mut out),
            }
            let waits = sender.capacity() == 0 && out.len() < CHUNK && matches!(piece, Piece::Octets(_));
            // the first chunk says that there is something to come, even if it is empty
            if waits || (out.is_empty() && !matches!(piece, Piece::Start)) {
                return true;
            }
            let chunk = std::mem::take(&mut out);
            match sender.try_send(Ok(chunk.into())) {
                Ok(()) => true,
                Err(TrySendError::Closed(_)) => false,
                Err(TrySendError::Full(chunk)) => runtime.block_on(async {
                    timeout(stall, sender.send(chunk)).await.is_ok_and(|sent| sent.is_ok())
                }),
            }
        })
    }
}
