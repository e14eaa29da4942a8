//! A client that does nothing but wait: what a command costs at the least.

use socket2::SockRef;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) fn login(port: u16, login: &str, password: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut raw = Self(stream);
        raw.until(b"* OK");
        for (said, expected) in [
            (format!("a LOGIN {{{}}}\r\n", login.len()), "+"),
            (format!("{login} {{{}}}\r\n", password.len()), "+"),
            (format!("{password}\r\n"), "a OK"),
        ] {
            raw.0.write_all(said.as_bytes()).unwrap();
            raw.until(expected.as_bytes());
        }
        raw
    }

    /// Says lines in one write, and reads to the last one's answer. Returns octets read.
    pub(crate) fn say(&mut self, lines: &str, last: &str) -> usize {
        self.0.write_all(lines.as_bytes()).unwrap();
        self.until(format!("{last} OK").as_bytes())
    }

    /// Reads to the end of the line that begins so.
    fn until(&mut self, beginning: &[u8]) -> usize {
        let mut octets = Vec::new();
        let mut buffer = [0; 1 << 13];
        loop {
            // each read acknowledges at once: servers that write an answer in pieces wait for it
            let _ = SockRef::from(&self.0).set_tcp_quickack(true);
            let read = self.0.read(&mut buffer).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&octets));
            octets.extend_from_slice(&buffer[..read]);
            let lines = octets.strip_suffix(b"\r\n").unwrap_or_default();
            let last = lines.rsplit(|octet| *octet == b'\n').next().unwrap_or_default();
            if last.starts_with(beginning) {
                return octets.len();
            }
        }
    }
}
