//! Private mail servers on loopback: a Dovecot, and on request a Postfix that delivers into it.
//!
//! Everything lies in one scratch directory and ends with the test process, in whatever way that ends. Users are
//! addresses of the domain [`DOMAIN`]; nothing ever leaves it.

mod config;
mod policy;
mod real;
mod scripted;
mod special;
mod tls;
mod token;
mod watch;

pub(crate) use config::account;
pub use real::{Kind, RealServer};
pub use scripted::{ALL_MAIL, Decodes, Features, Lie, Refuses, ScriptedImap};
pub(crate) use tls::server_config;
pub use watch::Watch;

use base64::{Engine, engine::general_purpose::STANDARD};
use imapmcp_core::time::Timestamp;
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
};
use tempfile::TempDir;

/// The domain of all users.
pub const DOMAIN: &str = "imapmcp.test";

/// A recipient Postfix answers with `450 4.2.0`.
pub const LATER: &str = "later@imapmcp.test";
/// A recipient Postfix answers with `452 4.2.2`.
pub const FULL: &str = "full@imapmcp.test";
/// A recipient Postfix answers with `550 5.1.1`.
pub const NOBODY: &str = "nobody@imapmcp.test";
/// A recipient Postfix answers with `451 4.7.1` once, and takes from then on.
pub const GREYLISTED: &str = "greylisted@imapmcp.test";

/// The servers' parent. It lives exactly as long as its standard input: when the test process ends, the pipe
/// closes, the servers stop and the directory goes.
const SUPERVISOR: &str = r#"
trap '' HUP INT TERM
{
    dovecot -c "$1/dovecot.conf" && { [ ! -d "$1/postfix" ] || postfix -c "$1/postfix" start; }
} >"$1/start.log" 2>&1 && echo ready || { echo failed; cat "$1/start.log" "$1"/*.log; }
exec >/dev/null
cat >/dev/null
{
    [ ! -d "$1/postfix" ] || postfix -c "$1/postfix" abort
    dovecot -c "$1/dovecot.conf" stop
    rm -rf "$1"
} >/dev/null 2>&1
"#;

/// Running servers; they stop when this is dropped.
#[derive(Debug)]
pub struct MailServers {
    directory: PathBuf,
    supervisor: Child,
    /// What is special about whom.
    users: Mutex<BTreeMap<String, String>>,
    greylist: policy::Greylist,
    /// IMAP, in the clear and by STARTTLS.
    pub imap_port: u16,
    /// IMAP over TLS.
    pub imaps_port: u16,
    /// Submission, in the clear and by STARTTLS; nothing listens without Postfix.
    pub smtp_port: u16,
    /// Submission over TLS; nothing listens without Postfix.
    pub smtps_port: u16,
    lmtp_port: u16,
}

impl MailServers {
    /// Starts Dovecot and Postfix (about two seconds). `None`, after [`skip`](crate::skip), where they are not
    /// installed or the tests do not run as root, which both need.
    pub fn start() -> Option<Self> {
        Self::launch(true, "UTC")
    }

    /// Starts Dovecot alone.
    pub fn imap_only() -> Option<Self> {
        Self::launch(false, "UTC")
    }

    /// Starts Dovecot alone, in this time zone (a name of the tz database).
    pub fn imap_in(zone: &str) -> Option<Self> {
        Self::launch(false, zone)
    }

    fn launch(submission: bool, zone: &str) -> Option<Self> {
        let needed: &[&str] =
            if submission { &["dovecot", "postfix", "openssl"] } else { &["dovecot", "openssl"] };
        if let Some(missing) = needed.iter().find(|program| !installed(program)) {
            crate::skip(&format!("{missing} is not installed"));
            return None;
        }
        if !fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            crate::skip("mail servers start as root only");
            return None;
        }
        // A port may be taken between choosing and binding it.
        let mut why = String::new();
        for _ in 0..3 {
            match Self::try_launch(submission, zone) {
                Ok(servers) => return Some(servers),
                Err(log) => why = log,
            }
        }
        panic!("the mail servers do not start: {why}")
    }

    fn try_launch(submission: bool, zone: &str) -> Result<Self, String> {
        let scratch = TempDir::with_prefix("imapmcp-mail.").unwrap();
        let directory = scratch.path().to_owned();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        tls::certificates(&directory);
        token::key(&directory);
        let ports = config::Ports::free();
        let greylist = policy::Greylist::start();
        for table in ["users", "special"] {
            fs::write(directory.join(table), "").unwrap();
        }
        config::dovecot(&directory, &ports);
        if submission {
            config::postfix(&directory, &ports, greylist.port);
        }
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "sh"])
            .arg(&directory)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("TZ", zone)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own: the signal that ends the tests must not end the cleaning up.
            .process_group(0)
            .spawn()
            .unwrap();
        // From here on the supervisor removes the directory.
        let _ = scratch.keep();
        let mut answer = String::new();
        let mut answers = BufReader::new(supervisor.stdout.take().unwrap());
        answers.read_line(&mut answer).unwrap();
        let servers = Self {
            directory,
            supervisor,
            users: Mutex::default(),
            greylist,
            imap_port: ports.imap,
            imaps_port: ports.imaps,
            smtp_port: ports.smtp,
            smtps_port: ports.smtps,
            lmtp_port: ports.lmtp,
        };
        if answer.trim_end() == "ready" {
            return Ok(servers);
        }
        let mut log = String::new();
        let _ = answers.read_to_string(&mut log);
        Err(log)
    }

    /// The certificate authority of the servers' certificate, which is for `localhost` and `127.0.0.1`.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.join("tls/ca.pem")
    }

    /// What `IMAPMCP_EGRESS_ALLOW` must say for these servers to be reached.
    pub fn egress(&self) -> String {
        let ports = [self.imap_port, self.imaps_port, self.smtp_port, self.smtps_port];
        let entries: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port},localhost:{port}")).collect();
        entries.join(",")
    }

    /// Adds `name@imapmcp.test` and returns that address, which is the login name too. Dovecot looks at its table of
    /// users once in a second at most, so this may take one.
    pub fn add_user(&self, name: &str, password: &str) -> String {
        let _turn = self.users.lock().unwrap();
        let address = format!("{name}@{DOMAIN}");
        let mut users = fs::OpenOptions::new().append(true).open(self.directory.join("users")).unwrap();
        writeln!(users, "{address}:{{PLAIN}}{password}").unwrap();
        drop(users);
        let known = (0..200).any(|_| {
            let mut doveadm = self.doveadm();
            let done = doveadm
                .args(["auth", "test", &address, password])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            done.success()
        });
        assert!(known, "Dovecot knows {address}");
        address
    }

    /// An access token for XOAUTH2, good for an hour.
    pub fn access_token(&self, address: &str) -> String {
        token::issue(address)
    }

    /// Delivers a message to a user's INBOX, by LMTP.
    pub fn deliver(&self, address: &str, message: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.lmtp_port)).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let mut answer = |expected: &str| {
            let mut line = String::new();
            loop {
                line.clear();
                lines.read_line(&mut line).unwrap();
                if line.as_bytes().get(3) != Some(&b'-') {
                    assert!(line.starts_with(expected), "{line}");
                    return;
                }
            }
        };
        answer("220");
        for command in ["LHLO localhost", "MAIL FROM:<>", &format!("RCPT TO:<{address}>")] {
            write!(stream, "{command}\r\n").unwrap();
            answer("250");
        }
        stream.write_all(b"DATA\r\n").unwrap();
        answer("354");
        let message = message.replace("\r\n.", "\r\n..");
        write!(stream, "{message}\r\n.\r\nQUIT\r\n").unwrap();
        answer("250");
    }

    /// Appends a message to a folder (its name in printable ASCII), as one that arrived at that time.
    pub fn append(&self, address: &str, password: &str, folder: &str, message: &str, at: Timestamp) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.imap_port)).unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut ok = |tag: &str| {
            let answer = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with(tag)).unwrap();
            assert!(answer.starts_with(&format!("{tag} OK")), "{answer}");
        };
        let credential = STANDARD.encode(format!("\0{address}\0{password}"));
        write!(stream, "a AUTHENTICATE PLAIN {credential}\r\n").unwrap();
        ok("a");
        let date = internal_date(at);
        let size = message.len();
        write!(stream, "b APPEND \"{folder}\" \"{date}\" {{{size}+}}\r\n{message}\r\nc LOGOUT\r\n").unwrap();
        ok("b");
    }

    /// How many IMAP logins succeeded so far.
    pub fn logins(&self) -> usize {
        fs::read_to_string(self.directory.join("dovecot.log"))
            .unwrap()
            .matches("imap-login: Info: Login:")
            .count()
    }

    /// Whether Postfix has handed on whatever it took.
    pub fn queue_is_empty(&self) -> bool {
        ["incoming", "active", "maildrop", "deferred"].iter().all(|queue| {
            let folder = self.directory.join("postfix/spool").join(queue);
            fs::read_dir(folder).is_ok_and(|mut files| files.next().is_none())
        })
    }

    /// How often [`GREYLISTED`] was named as a recipient.
    pub fn greylisted_tries(&self) -> usize {
        self.greylist.tries()
    }

    /// Message-IDs (without angle brackets) of the messages in a folder, its name in printable ASCII.
    pub fn message_ids(&self, address: &str, folder: &str) -> Vec<String> {
        let output = self
            .doveadm()
            .args(["-f", "flow", "fetch", "-u", address, "hdr.message-id", "mailbox", folder])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines().filter_map(|line| Some(line.split_once('<')?.1.split_once('>')?.0.to_owned())).collect()
    }

    /// Where everything lies: configuration, logs, mailboxes.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for MailServers {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

/// As APPEND takes it: `22-Nov-2026 21:00:00 +0000`, of `Sun, 22 Nov 2026 21:00:00 +0000`.
fn internal_date(at: Timestamp) -> String {
    at.to_rfc2822()[5..].replacen(' ', "-", 2)
}

fn installed(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|folder| Path::new(folder).join(program).exists())
}
