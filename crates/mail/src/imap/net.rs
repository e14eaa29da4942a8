//! The socket under a session: plain or TLS, always within reach for deadlines and for the one who cancels.

use super::fault::Fault;
use crate::tls::ImapTls;
use imapmcp_core::mail::{MailError, NetworkFault};
use native_tls::{HandshakeError, TlsStream};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

/// Plain or TLS over a blocking socket.
pub(crate) enum Net {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Net {
    /// The TLS handshake, verified for `name`.
    pub(crate) fn tls(tls: &ImapTls, name: &str, socket: TcpStream) -> Result<Self, Fault> {
        let failed = || Fault::Broken(MailError::Unreachable(NetworkFault::Tls));
        match tls.connector().ok_or_else(failed)?.connect(name, socket) {
            Ok(stream) => Ok(Self::Tls(Box::new(stream))),
            // The socket's time-out passed in the middle of the handshake.
            Err(HandshakeError::WouldBlock(_)) => Err(Fault::Broken(MailError::Timeout)),
            Err(HandshakeError::Failure(_)) => Err(failed()),
        }
    }

    /// The socket.
    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref(),
        }
    }

    /// How long a read or a write may wait for the other side.
    pub(crate) fn set_silence(&self, silence: Duration) -> Result<(), Fault> {
        let socket = self.socket();
        socket
            .set_read_timeout(Some(silence))
            .and_then(|()| socket.set_write_timeout(Some(silence)))
            .map_err(|error| Fault::of_io(&error))
    }

    /// Whether an idle connection, whose socket does not block, still looks alive: open, and nothing said. A server
    /// that closed it, or said BYE, has left something to read.
    pub(crate) fn is_quiet(&self) -> bool {
        matches!(self.socket().peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Read for Net {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Net {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(octets),
            Self::Tls(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// Ends a session's blocking call from any thread: every read and write fails from then on.
#[derive(Debug)]
pub(crate) struct Killer(TcpStream);

impl Killer {
    /// For this socket, TLS or not.
    pub(crate) fn of(socket: &TcpStream) -> Result<Self, Fault> {
        socket.try_clone().map(Self).map_err(|error| Fault::of_io(&error))
    }

    /// The same connection, for the runtime to tell of its octets; its socket must not block.
    pub(crate) fn told_of(&self) -> io::Result<tokio::net::TcpStream> {
        tokio::net::TcpStream::from_std(self.0.try_clone()?)
    }

    /// Cuts the connection.
    pub(crate) fn kill(&self) {
        // It may be closed already, which is as good.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
