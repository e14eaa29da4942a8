//! Configuration of the private servers.

use crate::contract::mail::FOLDERS;
use std::{
    fmt::{Display, Write},
    fs,
    net::TcpListener,
    path::Path,
};

pub(super) struct Ports {
    pub(super) imap: u16,
    pub(super) imaps: u16,
    pub(super) smtp: u16,
    pub(super) smtps: u16,
    pub(super) lmtp: u16,
    pub(super) auth: u16,
}

impl Ports {
    /// Six that were free a moment ago.
    pub(super) fn free() -> Self {
        let listeners: [TcpListener; 6] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let [imap, imaps, smtp, smtps, lmtp, auth] =
            listeners.map(|listener| listener.local_addr().unwrap().port());
        Self { imap, imaps, smtp, smtps, lmtp, auth }
    }
}

/// A configuration with its `@names@` filled in.
pub(super) fn filled(template: &str, values: &[(&str, &dyn Display)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("@{name}@"), &value.to_string())
    })
}

/// Dovecot: passwd-file users, tokens checked locally, no delay and no penalty for wrong passwords (one test's would
/// slow down the next), LMTP and SASL for Postfix.
pub(super) fn dovecot(directory: &Path, ports: &Ports) {
    let dir = directory.display();
    let Ports { imap, imaps, lmtp, auth, .. } = ports;
    let special = [
        ("Sent", "Sent"),
        ("Drafts", "Drafts"),
        ("Trash", "Trash"),
        ("Junk", "Junk"),
        ("Archive", "Archive"),
    ]
    .map(|(name, role)| {
        format!("  mailbox {name} {{\n    auto = subscribe\n    special_use = \\{role}\n  }}\n")
    })
    .concat();
    // A section's name cannot hold quotes; a setting's value can.
    let mut odd = String::new();
    for (number, name) in FOLDERS.iter().enumerate() {
        writeln!(odd, "  mailbox odd{number} {{\n    name = {name}\n    auto = create\n  }}").unwrap();
    }
    let config = filled(
        include_str!("dovecot.conf"),
        &[
            ("dir", &dir),
            ("special", &special),
            ("odd", &odd),
            ("imap", imap),
            ("imaps", imaps),
            ("lmtp", lmtp),
            ("auth", auth),
        ],
    );
    fs::write(directory.join("dovecot.conf"), config).unwrap();
    let oauth =
        format!("introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={dir}/jwt/\n");
    fs::write(directory.join("oauth2.conf"), oauth).unwrap();
    let mail = directory.join("mail");
    fs::create_dir(&mail).unwrap();
    let (uid, gid) = account("mail");
    std::os::unix::fs::chown(&mail, Some(uid), Some(gid)).unwrap();
}

/// Postfix: SASL from Dovecot, delivery into it by LMTP, every foreign domain refused at RCPT.
pub(super) fn postfix(directory: &Path, ports: &Ports, greylist: u16) {
    let dir = directory.display();
    let Ports { smtp, smtps, lmtp, auth, .. } = ports;
    let folder = directory.join("postfix");
    for name in ["postfix", "postfix/spool", "postfix/data"] {
        fs::create_dir(directory.join(name)).unwrap();
    }
    let (uid, _) = account("postfix");
    std::os::unix::fs::chown(folder.join("data"), Some(uid), None).unwrap();
    let main = filled(
        include_str!("main.cf"),
        &[("dir", &dir), ("lmtp", lmtp), ("auth", auth), ("greylist", &greylist)],
    );
    fs::write(folder.join("main.cf"), main).unwrap();
    fs::write(folder.join("recipients"), include_str!("recipients")).unwrap();
    let master = filled(include_str!("master.cf"), &[("smtp", smtp), ("smtps", smtps)]);
    fs::write(folder.join("master.cf"), master).unwrap();
}

/// User and group id from the system's table.
pub(crate) fn account(name: &str) -> (u32, u32) {
    let table = fs::read_to_string("/etc/passwd").unwrap();
    let line =
        table.lines().find(|line| line.starts_with(&format!("{name}:"))).expect("the package made its user");
    let fields: Vec<_> = line.split(':').collect();
    (fields[2].parse().unwrap(), fields[3].parse().unwrap())
}
