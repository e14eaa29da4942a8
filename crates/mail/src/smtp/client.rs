//! A conversation with a submission server: commands out, bounded replies in, each within its time.

use super::reply::{Replies, Reply};
use futures_util::FutureExt;
use imapmcp_core::mail::{MailError, NetworkFault};
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// Octets read at a time.
const READ: usize = 4 << 10;
const CUT: MailError = MailError::Unreachable(NetworkFault::Connect);

/// A conversation over TCP or TLS.
pub(super) struct Client<S> {
    stream: S,
    replies: Replies,
    /// How long one exchange may take, from the first octet of the command to the last of its reply.
    pub(super) patience: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, replies: Replies::default(), patience }
    }

    /// The stream below, if the server said nothing that was not asked for.
    pub(super) fn into_quiet(self) -> Option<S> {
        self.replies.is_empty().then_some(self.stream)
    }

    /// The next reply.
    pub(super) async fn read(&mut self) -> Result<Reply, MailError> {
        timeout(self.patience, self.next()).await.map_err(|_| MailError::Timeout)?
    }

    async fn next(&mut self) -> Result<Reply, MailError> {
        let mut buffer = [0; READ];
        loop {
            if let Some(reply) = self.replies.next()? {
                return Ok(reply);
            }
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return Err(CUT),
                Ok(read) => self.replies.push(&buffer[..read]),
            }
        }
    }

    /// One command and its reply.
    pub(super) async fn command(&mut self, command: impl AsRef<[u8]> + Send) -> Result<Reply, MailError> {
        if !self.replies.is_empty() {
            // 421 may come at any time (RFC 5321 §3.8); anything else would be taken for the answer to this command
            return if self.is_closing() { self.read().await } else { Err(MailError::Protocol) };
        }
        let patience = self.patience;
        let exchange = async {
            self.write(command.as_ref()).await?;
            self.flush().await?;
            self.next().await
        };
        timeout(patience, exchange).await.map_err(|_| MailError::Timeout)?
    }

    /// Commands written together (RFC 2920), and a reply for each.
    pub(super) async fn commands(&mut self, commands: &[String]) -> Result<Vec<Reply>, MailError> {
        if !self.replies.is_empty() {
            return Err(MailError::Protocol);
        }
        let patience = self.patience;
        let exchange = async {
            self.write(commands.concat().as_bytes()).await?;
            self.flush().await?;
            let mut replies = Vec::with_capacity(commands.len());
            while replies.len() < commands.len() {
                let reply = self.next().await?;
                let closing = reply.code == 421;
                replies.push(reply);
                if closing {
                    break;
                }
            }
            Ok(replies)
        };
        timeout(patience, exchange).await.map_err(|_| MailError::Timeout)?
    }

    /// A reply nobody asked for, if one has come by now.
    pub(super) async fn unasked(&mut self) -> Result<Option<Reply>, MailError> {
        let mut buffer = [0; READ];
        match self.stream.read(&mut buffer).now_or_never() {
            None if self.replies.is_empty() => Ok(None),
            Some(Ok(0) | Err(_)) if self.replies.is_empty() => Err(CUT),
            Some(Ok(read)) => {
                self.replies.push(&buffer[..read]);
                self.read().await.map(Some)
            }
            None | Some(Err(_)) => self.read().await.map(Some),
        }
    }

    /// Whether the server has said more than was asked for, and not that it closes.
    pub(super) fn contradicts(&self) -> bool {
        !self.replies.is_empty() && !self.is_closing()
    }

    fn is_closing(&self) -> bool {
        self.replies.begins(b"421")
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> Result<(), MailError> {
        self.stream.write_all(octets).await.map_err(|_| CUT)
    }

    pub(super) async fn flush(&mut self) -> Result<(), MailError> {
        self.stream.flush().await.map_err(|_| CUT)
    }
}
