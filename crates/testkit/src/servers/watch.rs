//! Waiting for mail without asking again and again: IDLE (RFC 2177).

use super::MailServers;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

/// Somebody who looks at a folder all the time.
#[derive(Debug)]
pub struct Watch {
    lines: BufReader<TcpStream>,
}

impl MailServers {
    /// Begins to look at a folder (its name in printable ASCII); what comes from now on is news.
    pub fn watch(&self, address: &str, password: &str, folder: &str) -> Watch {
        let mut stream = TcpStream::connect(("127.0.0.1", self.imap_port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut watch = Watch { lines: BufReader::new(stream.try_clone().unwrap()) };
        let credential = STANDARD.encode(format!("\0{address}\0{password}"));
        for (command, answer) in [
            (format!("a AUTHENTICATE PLAIN {credential}"), "a OK"),
            (format!("b EXAMINE \"{folder}\""), "b OK"),
            ("c IDLE".to_owned(), "+"),
        ] {
            write!(stream, "{command}\r\n").unwrap();
            watch.until(answer);
        }
        watch
    }
}

impl Watch {
    /// Waits until messages have come; panics when none does in half a minute.
    pub fn news(&mut self) {
        self.until("* ");
    }

    fn until(&mut self, beginning: &str) {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.lines.read_line(&mut line).expect("something comes within half a minute");
            assert!(read > 0, "the server is gone");
            // "still here" is no news
            if line.starts_with(beginning) && !line.starts_with("* OK") {
                return;
            }
        }
    }
}
