//! A conversation with a submission server: mail-send's exchanges, over a tap that lets bounded replies through only.

use super::{
    reply::Reply,
    tap::{CUT, Tap, seen},
};
use futures_util::FutureExt;
use imapmcp_core::mail::MailError;
use mail_send::{Error, SmtpClient};
use std::{future::poll_fn, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// A conversation over TCP or TLS.
pub(super) struct Client<S: AsyncRead + AsyncWrite + Unpin> {
    smtp: SmtpClient<Tap<S>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { smtp: SmtpClient { stream: Tap::new(stream), timeout: patience } }
    }

    /// How long one exchange may take, from the first octet of the command to the last of its reply.
    pub(super) fn set_patience(&mut self, patience: Duration) {
        self.smtp.timeout = patience;
    }

    /// The stream below, if the server said nothing that was not asked for.
    pub(super) fn into_quiet(self) -> Option<S> {
        self.smtp.stream.into_quiet()
    }

    /// The next reply.
    pub(super) async fn read(&mut self) -> Result<Reply, MailError> {
        let read = timeout(self.smtp.timeout, self.smtp.read()).await.map_err(|_| MailError::Timeout)?;
        read.map(|reply| seen(reply.code, &reply.message)).map_err(|error| self.why(&error))
    }

    /// One command and its reply.
    pub(super) async fn command(&mut self, command: impl AsRef<[u8]> + Send) -> Result<Reply, MailError> {
        if !self.smtp.stream.is_quiet() {
            // 421 may come at any time (RFC 5321 §3.8); anything else would be taken for the answer to this command
            return if self.smtp.stream.is_closing() { self.read().await } else { Err(MailError::Protocol) };
        }
        let reply = self.smtp.cmd(command).await;
        reply.map(|reply| seen(reply.code, &reply.message)).map_err(|error| self.why(&error))
    }

    /// Commands written together (RFC 2920), and a reply for each; behind 421 there are only more of it.
    pub(super) async fn commands(&mut self, commands: &[String]) -> Result<Vec<Reply>, MailError> {
        if !self.smtp.stream.is_quiet() {
            return Err(MailError::Protocol);
        }
        let replies = self.smtp.cmds(commands).await.map_err(|error| self.why(&error))?;
        Ok(replies.iter().map(|reply| seen(reply.code, &reply.message)).collect())
    }

    /// A reply nobody asked for, if one has come by now.
    pub(super) async fn unasked(&mut self) -> Result<Option<Reply>, MailError> {
        let heard = poll_fn(|context| self.smtp.stream.poll_hear(context)).now_or_never();
        match heard {
            None if self.smtp.stream.is_quiet() => Ok(None),
            Some(Err(fault)) if self.smtp.stream.is_quiet() => Err(fault),
            _ => self.read().await.map(Some),
        }
    }

    /// Whether the server has said more than was asked for, and not that it closes.
    pub(super) fn contradicts(&self) -> bool {
        !self.smtp.stream.is_quiet() && !self.smtp.stream.is_closing()
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> Result<(), MailError> {
        self.smtp.stream.write_all(octets).await.map_err(|_| CUT)
    }

    pub(super) async fn flush(&mut self) -> Result<(), MailError> {
        self.smtp.stream.flush().await.map_err(|_| CUT)
    }

    /// What ended an exchange: the tap knows better than mail-send, to which it is an I/O error.
    fn why(&self, error: &Error) -> MailError {
        self.smtp.stream.fault().unwrap_or(match error {
            Error::Timeout => MailError::Timeout,
            Error::Io(_) => CUT,
            _ => MailError::Protocol,
        })
    }
}
