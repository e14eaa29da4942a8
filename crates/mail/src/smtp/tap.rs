//! What is between mail-send and the server: octets in, whole and vetted replies up, one at a time.

use super::reply::{Replies, Reply};
use imapmcp_core::mail::{MailError, NetworkFault};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};

/// Octets read at a time.
const READ: usize = 4 << 10;
/// Octets of text that mail-send is shown of one reply; its parser gives up at 4,096.
const SHOWN: usize = 4_000;
pub(super) const CUT: MailError = MailError::Unreachable(NetworkFault::Connect);

/// A connection whose reading side says replies only.
pub(super) struct Tap<S> {
    /// Commands that are flushed together leave together.
    stream: BufWriter<S>,
    /// What came and was not shown yet.
    replies: Replies,
    /// What is left of the reply that is shown.
    shown: Vec<u8>,
    /// The 421 that ended the conversation.
    closing: Option<Reply>,
    /// Why nothing more is read; mail-send sees an I/O error.
    fault: Option<MailError>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tap<S> {
    pub(super) fn new(stream: S) -> Self {
        let stream = BufWriter::new(stream);
        Self { stream, replies: Replies::default(), shown: Vec::new(), closing: None, fault: None }
    }

    /// The stream below, if the server said nothing that was not asked for.
    pub(super) fn into_quiet(self) -> Option<S> {
        self.is_quiet().then(|| self.stream.into_inner())
    }

    /// Whether all that came was shown.
    pub(super) fn is_quiet(&self) -> bool {
        self.replies.is_empty()
    }

    /// Whether what came next says that the server closes.
    pub(super) fn is_closing(&self) -> bool {
        self.replies.begins(b"421")
    }

    /// Why reading ended, if it did.
    pub(super) fn fault(&self) -> Option<MailError> {
        self.fault.clone()
    }

    /// Takes what came by now.
    pub(super) fn poll_hear(&mut self, context: &mut Context<'_>) -> Poll<Result<(), MailError>> {
        let mut octets = [0; READ];
        let mut buffer = ReadBuf::new(&mut octets);
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
        if read.is_err() || buffer.filled().is_empty() {
            return Poll::Ready(Err(CUT));
        }
        self.replies.push(buffer.filled());
        Poll::Ready(Ok(()))
    }

    /// The next reply, vetted.
    fn poll_reply(&mut self, context: &mut Context<'_>) -> Poll<Result<Reply, MailError>> {
        // whatever was asked together with what 421 answers is not answered otherwise (RFC 5321 §3.8)
        if let Some(closing) = &self.closing {
            return Poll::Ready(Ok(closing.clone()));
        }
        loop {
            if let Some(reply) = self.replies.next()? {
                self.closing = (reply.code == 421).then(|| reply.clone());
                return Poll::Ready(Ok(reply));
            }
            ready!(self.poll_hear(context))?;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Tap<S> {
    /// No more than one reply: mail-send drops what it reads behind the one it waits for.
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.shown.is_empty() {
            match ready!(self.poll_reply(context)) {
                Ok(reply) => self.shown = show(&reply),
                Err(fault) => {
                    self.fault = Some(fault);
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                }
            }
        }
        let length = buffer.remaining().min(self.shown.len());
        buffer.put_slice(&self.shown[..length]);
        self.shown.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The reply as mail-send may read it. A space before each text keeps its parser from taking the enhanced code for three
/// octets (5.7.705 would be 5.7.255); of a reply beyond its bound each line is cut alike.
fn show(reply: &Reply) -> Vec<u8> {
    let length: usize = reply.lines.iter().map(|line| line.len() + 2).sum();
    let share = if length > SHOWN { SHOWN / reply.lines.len() - 2 } else { SHOWN };
    let mut shown = Vec::with_capacity(length.min(SHOWN) + reply.lines.len() * 6);
    for (left, line) in (0..reply.lines.len()).rev().zip(&reply.lines) {
        shown.extend_from_slice(reply.code.to_string().as_bytes());
        shown.extend_from_slice(if left == 0 { b"  " } else { b"- " });
        shown.extend_from_slice(&line.as_bytes()[..line.floor_char_boundary(share)]);
        shown.extend_from_slice(b"\r\n");
    }
    shown
}

/// What mail-send read of a reply that was shown to it.
pub(super) fn seen(code: u16, message: &str) -> Reply {
    let text = |line: &str| line.strip_prefix(' ').unwrap_or(line).to_owned();
    Reply { code, lines: message.split('\n').map(text).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_send::SmtpClient;
    use proptest::prelude::*;
    use std::time::Duration;
    use tokio::io::AsyncWriteExt;

    /// What mail-send reads of what a server says, up to its end.
    async fn read(octets: &[u8]) -> (Vec<Reply>, Option<MailError>) {
        let (mut server, stream) = tokio::io::duplex(1 << 20);
        server.write_all(octets).await.unwrap();
        drop(server);
        let mut client = SmtpClient { stream: Tap::new(stream), timeout: Duration::from_secs(1) };
        let mut replies = vec![];
        while let Ok(reply) = client.read().await {
            replies.push(seen(reply.code, &reply.message));
        }
        (replies, client.stream.fault())
    }

    fn reply(code: u16, lines: &[&str]) -> Reply {
        Reply { code, lines: lines.iter().map(|&line| line.to_owned()).collect() }
    }

    #[tokio::test]
    async fn replies_come_through_one_by_one_and_their_words_unharmed() {
        let (replies, fault) =
            read(b"250\r\n250-\r\n250 \r\n550-5.7.705 a\n550  5.7.705\xff b\r\n535 5.7.8\r\n").await;
        let expected = [
            reply(250, &[""]),
            reply(250, &["", ""]),
            reply(550, &["5.7.705 a", " 5.7.705\u{fffd} b"]),
            reply(535, &["5.7.8"]),
        ];
        assert_eq!((replies.as_slice(), fault), (expected.as_slice(), Some(CUT)));
        assert_eq!(expected[2].enhanced().as_deref(), Some("5.7.705"));
    }

    #[tokio::test]
    async fn what_is_no_reply_does_not_come_through() {
        for wrong in ["199 x\r\n", "250-a\r\n554 b\r\n", "250_\r\n", &"220-x\r\n".repeat(101)] {
            let (replies, fault) = read(format!("250 a\r\n{wrong}").as_bytes()).await;
            assert_eq!((replies, fault), (vec![reply(250, &["a"])], Some(MailError::Protocol)), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_long_reply_is_cut_and_not_refused() {
        for (count, length) in [(1, 60_000), (16, 4_000), (100, 600), (100, 38), (100, 39), (1, 3_999)] {
            let line = format!("€{}", "x".repeat(length - 3));
            let said = format!("{}250 {line}\r\n", format!("250-{line}\r\n").repeat(count - 1));
            let (replies, _) = read(said.as_bytes()).await;
            assert_eq!((replies.len(), replies[0].lines.len()), (1, count), "{count} of {length}");
            assert!(replies[0].lines.iter().all(|cut| cut.len() >= 38 && line.starts_with(cut)));
        }
    }

    #[tokio::test]
    async fn the_end_answers_all_that_was_asked() {
        let (mut server, stream) = tokio::io::duplex(1_024);
        server.write_all(b"250 a\r\n421 closing\r\n").await.unwrap();
        let mut client = SmtpClient { stream: Tap::new(stream), timeout: Duration::from_secs(10) };
        let replies = client.cmds(["a\r\n", "b\r\n", "c\r\n"]).await.unwrap();
        assert_eq!(replies.iter().map(|reply| reply.code).collect::<Vec<_>>(), [250, 421, 421]);
    }

    proptest! {
        #[test]
        fn mail_send_reads_what_was_vetted(
            octets in prop::collection::vec(prop::sample::select(b"25 0-x.\r\n".to_vec()), 0..200),
        ) {
            let (mut replies, mut vetted) = (Replies::default(), vec![]);
            replies.push(&octets);
            let fault = loop {
                match replies.next() {
                    // a lone CR is no part of a text for mail-send
                    Ok(Some(reply)) => vetted.push(Reply {
                        lines: reply.lines.iter().map(|line| line.replace('\r', "")).collect(),
                        ..reply
                    }),
                    Ok(None) => break CUT,
                    Err(fault) => break fault,
                }
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            prop_assert_eq!(runtime.block_on(read(&octets)), (vetted, Some(fault)));
        }
    }
}
