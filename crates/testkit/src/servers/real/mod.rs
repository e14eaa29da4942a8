//! Real IMAP servers besides Dovecot, on loopback: Cyrus and Courier, as Debian packages them.
//!
//! Only one IMAP server can be installed at a time, so these are unpacked (`scripts/servers`), and each runs in a mount
//! and process namespace of its own: it finds its files where they belong, and whatever it starts ends with it.

mod passwords;
mod setup;

use super::DOMAIN;
use imapmcp_core::time::Timestamp;
use passwords::Passwords;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// The server's parent. It lives exactly as long as its standard input: when the test process ends, the pipe closes,
/// all processes of the namespace end and the directory goes. The unpacked server stands under `/mnt`, where any user
/// reaches it.
const SUPERVISOR: &str = r#"
trap '' HUP INT TERM
cd "$1"
{ mount --bind -o ro "$2" /mnt && sh ./start; } >"$1/start.log" 2>&1 && echo ready || { echo failed; cat "$1/start.log"; }
exec >/dev/null
cat >/dev/null
kill -KILL -1
rm -rf "$1"
"#;

/// Which server, and how it names folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Cyrus with `/` between the parts of a folder's name, and no prefix.
    Cyrus,
    /// Cyrus as it is by default: folders lie below `INBOX.`.
    CyrusBelowInbox,
    /// Courier: folders lie below `INBOX.`.
    Courier,
}

impl Kind {
    /// The name of its packages' folder.
    const fn folder(self) -> &'static str {
        match self {
            Self::Cyrus | Self::CyrusBelowInbox => "cyrus",
            Self::Courier => "courier",
        }
    }

    /// Where its packages lie: where the variable says, where `scripts/servers` unpacked them, or installed.
    fn unpacked(self) -> Option<PathBuf> {
        let folder = self.folder();
        let named = std::env::var_os(format!("IMAPMCP_TEST_{}", folder.to_ascii_uppercase()));
        let built = std::env::current_exe().unwrap();
        let beside = built.ancestors().map(|place| place.join("servers").join(folder));
        let there = |place: &PathBuf| place.join(self.program()).exists();
        named.map(PathBuf::from).into_iter().chain(beside).chain(["/".into()]).find(there)
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Cyrus | Self::CyrusBelowInbox => "usr/lib/cyrus/bin/imapd",
            Self::Courier => "usr/lib/courier/courier/imaplogin",
        }
    }
}

/// A running server; it stops when this is dropped.
#[derive(Debug)]
pub struct RealServer {
    directory: PathBuf,
    supervisor: Child,
    passwords: Passwords,
    kind: Kind,
    /// IMAP, in the clear and by STARTTLS.
    pub imap_port: u16,
    /// IMAP over TLS.
    pub imaps_port: u16,
}

impl RealServer {
    /// Starts it (about a second). `None`, after [`skip`](crate::skip), where it is neither unpacked nor installed, or
    /// the tests do not run as root in a place that lets them have namespaces.
    pub fn start(kind: Kind) -> Option<Self> {
        let Some(unpacked) = kind.unpacked() else {
            crate::skip(&format!("{} is not there (scripts/servers)", kind.folder()));
            return None;
        };
        if !fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            crate::skip("mail servers start as root only");
            return None;
        }
        if !Command::new("unshare").args(["-mpf", "true"]).output().is_ok_and(|done| done.status.success()) {
            crate::skip("namespaces are not to be had here (unshare -mpf)");
            return None;
        }
        // A port may be taken between choosing and binding it.
        let mut why = String::new();
        for _ in 0..3 {
            match Self::launch(kind, &unpacked) {
                Ok(server) => return Some(server),
                Err(log) => why = log,
            }
        }
        panic!("{kind:?} does not start: {why}")
    }

    fn launch(kind: Kind, unpacked: &Path) -> Result<Self, String> {
        let scratch = TempDir::with_prefix("imapmcp-real.").unwrap();
        let directory = scratch.path().to_owned();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        super::tls::certificates(&directory);
        let [clear, tls] = setup::write(kind, &directory);
        let passwords = Passwords::answer(kind, &directory);
        let mut supervisor = Command::new("unshare")
            .args(["-mpf", "--kill-child", "sh", "-c", SUPERVISOR, "sh"])
            .args([&directory, unpacked])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own: the signal that ends the tests must not end the cleaning up.
            .process_group(0)
            .spawn()
            .unwrap();
        // From here on the supervisor removes the directory.
        let _ = scratch.keep();
        let mut answers = BufReader::new(supervisor.stdout.take().unwrap());
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        let mut server = Self { directory, supervisor, passwords, kind, imap_port: clear, imaps_port: tls };
        if answer.trim_end() == "ready" && [clear, tls].into_iter().all(listens) {
            return Ok(server);
        }
        drop(server.supervisor.stdin.take());
        let mut log = String::new();
        let _ = answers.read_to_string(&mut log);
        Err(log)
    }

    /// The certificate authority of the server's certificate, which is for `localhost` and `127.0.0.1`.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.join("tls/ca.pem")
    }

    /// What `IMAPMCP_EGRESS_ALLOW` must say for the server to be reached.
    pub fn egress(&self) -> String {
        let ports = [self.imap_port, self.imaps_port];
        ports.map(|port| format!("127.0.0.1:{port},localhost:{port}")).join(",")
    }

    /// Adds a user with an empty mailbox. The login name is `name` (Cyrus), or `name@imapmcp.test`.
    pub fn add_user(&self, name: &str, password: &str) -> String {
        let login = match self.kind {
            Kind::Cyrus | Kind::CyrusBelowInbox => name.to_owned(),
            Kind::Courier => {
                let login = format!("{name}@{DOMAIN}");
                setup::maildir(&self.directory, &login);
                login
            }
        };
        self.passwords.add(&login, password);
        login
    }

    /// Appends a message to a folder (its full name on the server, in printable ASCII), as one that arrived at that time.
    pub fn append(&self, login: &str, password: &str, folder: &str, message: &str, at: Timestamp) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.imap_port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut answered = |beginning: &str| {
            let answer = lines.by_ref().map(Result::unwrap).find(|line| !line.starts_with("* "));
            assert!(answer.as_ref().is_some_and(|line| line.starts_with(beginning)), "{folder}: {answer:?}");
        };
        // literals, so that nothing has to be quoted, and synchronizing ones, as every server takes them
        write!(stream, "a LOGIN {{{}}}\r\n", login.len()).unwrap();
        answered("+");
        write!(stream, "{login} {{{}}}\r\n", password.len()).unwrap();
        answered("+");
        write!(stream, "{password}\r\n").unwrap();
        answered("a OK");
        let date = super::internal_date(at);
        write!(stream, "b APPEND \"{folder}\" \"{date}\" {{{}}}\r\n", message.len()).unwrap();
        answered("+");
        write!(stream, "{message}\r\n").unwrap();
        answered("b OK");
        write!(stream, "c LOGOUT\r\n").unwrap();
    }
}

/// Waits until somebody listens there.
fn listens(port: u16) -> bool {
    (0..400).any(|_| {
        let there = TcpStream::connect(("127.0.0.1", port)).is_ok();
        if !there {
            std::thread::sleep(Duration::from_millis(25));
        }
        there
    })
}

impl Drop for RealServer {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}
