//! Who may log in: the other end of the socket on which a server asks for passwords to be checked.

use super::Kind;
use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// The table. Its thread ends with the process.
#[derive(Debug)]
pub(super) struct Passwords(Table);

type Table = Arc<Mutex<HashMap<String, String>>>;

impl Passwords {
    /// Listens at `sockets/socket`.
    pub(super) fn answer(kind: Kind, directory: &Path) -> Self {
        let folder = directory.join("sockets");
        fs::create_dir(&folder).unwrap();
        let socket = folder.join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).unwrap();
        let table = Table::default();
        let (known, directory) = (Arc::clone(&table), directory.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // one that hangs up asks for nothing
                let _ = match kind {
                    Kind::Cyrus | Kind::CyrusBelowInbox => saslauthd(stream, &known),
                    Kind::Courier => authdaemon(stream, &known, &directory),
                };
            }
        });
        Self(table)
    }

    pub(super) fn add(&self, login: &str, password: &str) {
        self.0.lock().unwrap().insert(login.to_owned(), password.to_owned());
    }
}

fn is_right(table: &Table, login: &str, password: &str) -> bool {
    table.lock().unwrap().get(login).is_some_and(|right| right == password)
}

/// Cyrus SASL's protocol: login, password, service and realm, each behind its length in two octets; `OK` or `NO` likewise.
fn saslauthd(mut stream: UnixStream, table: &Table) -> std::io::Result<()> {
    let mut fields = Vec::new();
    for _ in 0..4 {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut field = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut field)?;
        fields.push(String::from_utf8_lossy(&field).into_owned());
    }
    let answer = if is_right(table, &fields[0], &fields[1]) { b"\0\x02OK" } else { b"\0\x02NO" };
    stream.write_all(answer)
}

/// Courier's protocol: `AUTH <octets>`, then service, kind, login and password, a line each; fields that end with a full
/// stop, or `FAIL`.
fn authdaemon(mut stream: UnixStream, table: &Table, directory: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    // what stands before tells of the connection
    let octets = loop {
        let line = lines.next().unwrap_or_else(|| Err(std::io::ErrorKind::UnexpectedEof.into()))?;
        if let Some(octets) = line.strip_prefix("AUTH ") {
            break octets.trim().parse::<usize>().unwrap_or_default();
        }
    };
    let mut fields = Vec::new();
    let mut read = 0;
    while read < octets {
        let Some(line) = lines.next() else { break };
        let line = line?;
        read += line.len() + 1;
        fields.push(line);
    }
    let [_, _, login, password, ..] = &fields[..] else { return stream.write_all(b"FAIL\n") };
    if !is_right(table, login, password) {
        return stream.write_all(b"FAIL\n");
    }
    let (user, group) = super::super::account("mail");
    let home: PathBuf = directory.join("homes").join(login);
    let home = home.display();
    write!(stream, "UID={user}\nGID={group}\nHOME={home}\nADDRESS={login}\nMAILDIR={home}/Maildir\n.\n")
}
