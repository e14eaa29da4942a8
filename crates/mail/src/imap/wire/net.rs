//! The socket under a session: plain or TLS, always within reach for deadlines and for the one who cancels.

use super::fault::Fault;
use crate::tls::ImapTls;
use imapmcp_core::mail::{MailError, NetworkFault};
use native_tls::{HandshakeError, TlsStream};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::OwnedSemaphorePermit;

/// Octets read ahead of TLS.
const AHEAD: usize = 32 << 10;

/// How long octets may go unacknowledged (RFC 5482).
const UNHEARD: Duration = Duration::from_secs(4);

/// Plain or TLS over a socket.
pub(crate) enum Net {
    Plain(TcpStream),
    Tls(Box<TlsStream<Ahead>>),
}

/// A socket below TLS. TLS asks for the five octets of a record's head and then for the record, which servers often cut
/// to 4 KB: read one by one, a large message is thousands of system calls.
pub(crate) struct Ahead {
    socket: TcpStream,
    octets: Vec<u8>,
    at: usize,
    end: usize,
    /// Whether the server ever said anything.
    heard: Arc<AtomicBool>,
}

impl Ahead {
    const fn new(socket: TcpStream, heard: Arc<AtomicBool>) -> Self {
        Self { socket, octets: Vec::new(), at: 0, end: 0, heard }
    }

    const fn is_empty(&self) -> bool {
        self.at == self.end
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_empty() {
            self.octets.resize(AHEAD, 0);
            (self.at, self.end) = (0, 0);
            self.end = self.socket.read(&mut self.octets)?;
            hurry(&self.socket, self.end, AHEAD);
            if self.end > 0 {
                self.heard.store(true, Ordering::Relaxed);
            }
        }
        let read = (&self.octets[self.at..self.end]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

impl Write for Ahead {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.socket.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// Acknowledges at once what was read. Servers that write a reply in pieces hold the second back until the first is
/// acknowledged (RFC 896), which would take 40 ms. A full buffer means that more is there already.
fn hurry(socket: &TcpStream, read: usize, size: usize) {
    if read > 0 && read < size {
        set(socket, |socket| socket.set_tcp_quickack(true));
    }
}

/// Lets a connection end whose octets nobody acknowledges: that is no slow server but a dead way.
pub(crate) fn ends_unheard(socket: &TcpStream) {
    set(socket, |socket| socket.set_tcp_user_timeout(Some(UNHEARD)));
}

/// Sets an option that only makes things quicker, where the system has it.
fn set(socket: &TcpStream, option: impl Fn(&socket2::SockRef<'_>) -> io::Result<()>) {
    let _ = option(&socket2::SockRef::from(socket));
}

impl Net {
    /// The TLS handshake, verified for `name`.
    pub(crate) fn tls(tls: &ImapTls, name: &str, socket: TcpStream) -> Result<Self, Fault> {
        let failed = || Fault::Broken(MailError::Unreachable(NetworkFault::Tls));
        let heard = Arc::new(AtomicBool::new(false));
        match tls.connector().ok_or_else(failed)?.connect(name, Ahead::new(socket, Arc::clone(&heard))) {
            Ok(stream) => Ok(Self::Tls(Box::new(stream))),
            // The socket's time-out passed in the middle of the handshake.
            Err(HandshakeError::WouldBlock(_)) => Err(Fault::Broken(MailError::Timeout)),
            // Closed without a word: not TLS is at fault, the server does not want this connection.
            Err(HandshakeError::Failure(_)) if !heard.load(Ordering::Relaxed) => Err(Fault::CUT),
            Err(HandshakeError::Failure(_)) => Err(failed()),
        }
    }

    /// The socket.
    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.get_ref().socket,
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

    /// Frees what an idle connection does not need.
    pub(crate) fn rest(&mut self) {
        if let Self::Tls(stream) = self
            && stream.get_ref().is_empty()
        {
            stream.get_mut().octets = Vec::new();
        }
    }

    /// Whether an idle connection, whose socket does not block, still looks alive: open, and nothing said. A server
    /// that closed it, or said BYE, has left something to read.
    pub(crate) fn is_quiet(&self) -> bool {
        let read = matches!(self, Self::Tls(stream) if !stream.get_ref().is_empty());
        !read
            && matches!(self.socket().peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Read for Net {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => {
                let read = socket.read(buffer)?;
                hurry(socket, read, buffer.len());
                Ok(read)
            }
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

/// Ends a session's blocking call from any thread: every read and write fails from then on. It holds the connection's seat
/// among those of its person, for a connection is there as long as this is.
#[derive(Debug)]
pub(crate) struct Killer {
    socket: TcpStream,
    _seat: Option<OwnedSemaphorePermit>,
}

impl Killer {
    /// For this socket, TLS or not.
    pub(crate) fn of(socket: &TcpStream) -> Result<Self, Fault> {
        let socket = socket.try_clone().map_err(|error| Fault::of_io(&error))?;
        Ok(Self { socket, _seat: None })
    }

    /// With its seat.
    pub(crate) fn seated(self, seat: OwnedSemaphorePermit) -> Self {
        Self { _seat: Some(seat), ..self }
    }

    /// The same connection, for the runtime to tell of its octets; its socket must not block.
    pub(crate) fn told_of(&self) -> io::Result<tokio::net::TcpStream> {
        tokio::net::TcpStream::from_std(self.socket.try_clone()?)
    }

    /// Cuts the connection.
    pub(crate) fn kill(&self) {
        // It may be closed already, which is as good.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}
