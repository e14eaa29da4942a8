//! From a fresh TCP connection to an authenticated session: STARTTLS, greeting, login.

use super::{capabilities::Capabilities, hints::Hints, session::Session};
use crate::imap::wire::{
    fault::{Fault, login_refusal},
    framing::{Framer, Limits, Step},
    net::{Killer, Net},
    response::{self, Code, Data, Kind, Line, Status},
    tap::{Core, SharedCore, Tap},
};
use crate::lock::lock;
use crate::tls::ImapTls;
use base64::{Engine, engine::general_purpose::STANDARD};
use imapmcp_core::{
    account::{Credential, Security},
    mail::{MailError, NetworkFault},
    secret::ExposeSecret,
};
use std::{
    cell::Cell,
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::OwnedSemaphorePermit;

/// How to open a session on a connected socket.
pub(crate) struct Opening {
    pub(crate) socket: TcpStream,
    /// The name the user typed; the certificate must be for it.
    pub(crate) host: String,
    pub(crate) security: Security,
    pub(crate) tls: Arc<ImapTls>,
    pub(crate) username: String,
    pub(crate) credential: Credential,
    pub(crate) silence: Duration,
    pub(crate) hints: Arc<Hints>,
    /// The connection's place among those of its person.
    pub(crate) seat: OwnedSemaphorePermit,
}

impl Opening {
    /// Blocks; the socket's killer must exist before this is called.
    pub(crate) fn open(self) -> Result<Session, Fault> {
        let Self { socket, host, security, tls, username, credential, silence, hints, seat } = self;
        let killer = Killer::of(&socket)?.seated(seat);
        let plain = Net::Plain(socket);
        plain.set_silence(silence)?;
        let net = match (security, plain) {
            (Security::Insecure, plain) => plain,
            (Security::Tls, Net::Plain(socket)) => Net::tls(&tls, &host, socket)?,
            (Security::StartTls, Net::Plain(mut socket)) => {
                start_tls(&mut socket)?;
                Net::tls(&tls, &host, socket)?
            }
            (_, tls) => tls,
        };
        let core = Arc::new(Mutex::new(Core::new(net, Limits::default())));
        let mut client = imap::Client::new(Tap(Arc::clone(&core)));
        if security == Security::StartTls {
            // The greeting came in the clear; what it said about capabilities does not count any more.
            client.greeting_read = true;
            lock(&core).greeting = Some(Status { kind: Kind::Ok, code: None, text: String::new() });
        } else {
            client.read_greeting().map_err(|_| ended(&core))?;
            greeted(&core)?;
        }
        let mut tag = 0;
        if lock(&core).capabilities.is_empty() {
            tag += 1;
            lock(&core).expect_tag(tag);
            // Its parser sees a made-up completion and no capabilities; ours are beside it.
            let _ = client.capabilities();
            if let Some(fault) = lock(&core).fault() {
                return Err(fault.clone());
            }
        }
        tag += 1;
        lock(&core).expect_tag(tag);
        let session = login(client, &core, &username, &credential)?;
        {
            let mut core = lock(&core);
            core.hush();
            let told = core
                .completions
                .iter()
                .any(|done| done.tag == tag && matches!(done.status.code, Some(Code::Capability(_))))
                || core.items.iter().any(|item| matches!(item, Data::Capability(_)));
            if !told {
                core.capabilities.clear();
            }
            core.begin(Limits::default());
        }
        Session::new(session, core, tag, killer, hints)
    }
}

fn greeted(core: &SharedCore) -> Result<(), Fault> {
    let greeting = lock(core).greeting.clone();
    match greeting {
        Some(status) if status.kind == Kind::Ok => Ok(()),
        Some(status) if status.kind == Kind::Bye => Err(Fault::of_bye(&status)),
        // PREAUTH: whose mailbox would it be?
        _ => Err(Fault::PROTOCOL),
    }
}

fn ended(core: &SharedCore) -> Fault {
    lock(core).fault().cloned().unwrap_or(Fault::PROTOCOL)
}

/// The credential for the SASL loop of `imap`.
struct Initial {
    response: Vec<u8>,
    sent: Cell<bool>,
}

impl imap::Authenticator for Initial {
    type Response = Vec<u8>;

    /// The first challenge asks for the credential; a second one is XOAUTH2's error text, answered by nothing.
    fn process(&self, _challenge: &[u8]) -> Vec<u8> {
        if self.sent.replace(true) { Vec::new() } else { self.response.clone() }
    }
}

fn login(
    client: imap::Client<Tap>,
    core: &SharedCore,
    username: &str,
    credential: &Credential,
) -> Result<imap::Session<Tap>, Fault> {
    let (told, capabilities) = {
        let core = lock(core);
        (!core.capabilities.is_empty(), Capabilities::of(&core.capabilities))
    };
    let no_control = |text: &str| !text.bytes().any(|octet| matches!(octet, b'\r' | b'\n' | 0));
    let (mechanism, response) = match credential {
        Credential::AccessToken(token) => {
            if told && !capabilities.takes_bearer() {
                return Err(Fault::Said(MailError::NoMechanism));
            }
            let bearer = format!("user={username}\x01auth=Bearer {}\x01\x01", token.expose_secret());
            ("XOAUTH2", bearer)
        }
        Credential::Password(password) => {
            if !capabilities.takes_plain() {
                // neither the one nor the other: no password leaves (RFC 9051 §6.2.3)
                if capabilities.forbids_login() {
                    return Err(Fault::Said(MailError::NoMechanism));
                }
                if !no_control(username) || !no_control(password.expose_secret()) {
                    return Err(Fault::Said(MailError::LoginRefused));
                }
                let session = client.login(username, password.expose_secret());
                return session.map_err(|_| login_fault(core));
            }
            ("PLAIN", format!("\0{username}\0{}", password.expose_secret()))
        }
    };
    // RFC 4959 saves a round trip; `imap` passes the mechanism on as it is, so the response can ride behind it.
    let immediate = capabilities.takes_initial_response();
    let name =
        if immediate { format!("{mechanism} {}", STANDARD.encode(&response)) } else { mechanism.to_owned() };
    let initial = Initial { response: response.into_bytes(), sent: Cell::new(immediate) };
    client.authenticate(name, &initial).map_err(|_| login_fault(core))
}

/// Why `imap` did not get its session: the server's answer if there was one.
fn login_fault(core: &SharedCore) -> Fault {
    let core = lock(core);
    match (core.completions.last(), core.fault()) {
        (Some(done), _) if done.status.kind != Kind::Ok => Fault::Said(login_refusal(&done.status)),
        (_, Some(fault)) => fault.clone(),
        (_, None) => Fault::PROTOCOL,
    }
}

/// Greeting and STARTTLS in the clear. Octets that came with the answer were said before the handshake: an injection.
fn start_tls(socket: &mut TcpStream) -> Result<(), Fault> {
    const REFUSED: Fault = Fault::Broken(MailError::Unreachable(NetworkFault::StartTls));
    let limits = Limits { command: 1 << 16, response: 1 << 16, line: 1 << 16, ..Limits::default() };
    let (mut framer, mut buffer, mut greeted, mut seen) = (Framer::new(limits), [0; 4096], false, 0);
    loop {
        let read = socket.read(&mut buffer).map_err(|error| Fault::of_io(&error))?;
        seen += read;
        if read == 0 {
            return Err(Fault::CUT);
        }
        if seen > limits.command {
            return Err(Fault::PROTOCOL);
        }
        let mut position = 0;
        while position < read {
            let step = framer.step(&buffer[position..read]).map_err(|_| Fault::PROTOCOL)?;
            position += step.0;
            let Step::Response(raw) = step.1 else { continue };
            match response::line(&raw).map_err(|_| Fault::PROTOCOL)? {
                Line::Untagged(Data::Status(status)) if !greeted => {
                    match status.kind {
                        Kind::Ok => greeted = true,
                        Kind::Bye => return Err(Fault::of_bye(&status)),
                        // PREAUTH in the clear would skip TLS.
                        _ => return Err(Fault::PROTOCOL),
                    }
                    socket.write_all(b"s1 STARTTLS\r\n").map_err(|error| Fault::of_io(&error))?;
                }
                Line::Tagged(tag, status) if tag == "s1" && greeted => {
                    let clean = status.kind == Kind::Ok && position == read;
                    return if clean { Ok(()) } else { Err(REFUSED) };
                }
                Line::Untagged(_) => {}
                _ => return Err(REFUSED),
            }
        }
    }
}
