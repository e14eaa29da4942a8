//! Files of the servers: configuration, mail, and the script that starts them.

use super::Kind;
use crate::servers::{account, config};
use std::{fs, os::unix::fs::chown, path::Path};

/// Writes everything; tells the ports of IMAP and IMAPS.
pub(super) fn write(kind: Kind, directory: &Path) -> [u16; 2] {
    let config::Ports { imap, imaps, .. } = config::Ports::free();
    let fill = |template: &str| {
        let names = match kind {
            Kind::Cyrus => "unixhierarchysep: yes\naltnamespace: yes",
            Kind::CyrusBelowInbox | Kind::Courier => "unixhierarchysep: no\naltnamespace: no",
        };
        config::filled(
            template,
            &[("dir", &directory.display()), ("imap", &imap), ("imaps", &imaps), ("names", &names)],
        )
    };
    let files: &[(&str, &str)] = match kind {
        Kind::Cyrus | Kind::CyrusBelowInbox => &[
            ("imapd.conf", include_str!("cyrus/imapd.conf")),
            ("cyrus.conf", include_str!("cyrus/cyrus.conf")),
            ("start", include_str!("cyrus/start")),
        ],
        Kind::Courier => &[("start", include_str!("courier/start"))],
    };
    for (name, template) in files {
        fs::write(directory.join(name), fill(template)).unwrap();
    }
    // certificate and key in one file, as Courier wants them
    let [key, certificate] = ["key", "pem"]
        .map(|kind| fs::read_to_string(directory.join("tls/server").with_extension(kind)).unwrap());
    fs::write(directory.join("tls/both.pem"), key + &certificate).unwrap();
    for name in ["homes", "mail", "tls", "tls/server.key", "tls/both.pem"] {
        let place = directory.join(name);
        if !place.exists() {
            fs::create_dir(&place).unwrap();
        }
        to_mail(&place);
    }
    [imap, imaps]
}

/// An empty maildir.
pub(super) fn maildir(directory: &Path, login: &str) {
    let home = directory.join("homes").join(login);
    for name in ["", "Maildir", "Maildir/cur", "Maildir/new", "Maildir/tmp"] {
        fs::create_dir_all(home.join(name)).unwrap();
        to_mail(&home.join(name));
    }
}

fn to_mail(place: &Path) {
    let (user, group) = account("mail");
    chown(place, Some(user), Some(group)).unwrap();
}
