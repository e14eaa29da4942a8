//! What is special about some users.

use super::MailServers;
use std::{fmt::Write, fs, process::Command};

impl MailServers {
    /// Lets a user's mailbox hold so many octets, or as many as it likes. Sessions of the user end, so that it holds
    /// at once.
    pub fn limit(&self, address: &str, octets: Option<u64>) {
        let fields = octets.map(|octets| {
            format!("userdb_mail_plugins=quota userdb_quota=count:User userdb_quota_vsizes=yes userdb_quota_rule=*:bytes={octets}")
        });
        self.make_special(address, fields);
    }

    /// Takes the Trash folder from a user who never logged in.
    pub fn without_trash(&self, address: &str) {
        self.make_special(address, Some("userdb_namespace/inbox/mailbox/Trash/auto=no".to_owned()));
    }

    /// Sets a flag behind the product's back, as another client would.
    pub fn add_flag(&self, address: &str, folder: &str, message_id: &str, flag: &str) {
        let header = format!("<{message_id}>");
        let query = ["mailbox", folder, "header", "message-id", &header];
        let done = self.doveadm().args(["flags", "add", "-u", address, flag]).args(query).status().unwrap();
        assert!(done.success());
    }

    pub(super) fn doveadm(&self) -> Command {
        let mut doveadm = Command::new("doveadm");
        doveadm.arg("-c").arg(self.directory.join("dovecot.conf"));
        doveadm
    }

    fn make_special(&self, address: &str, fields: Option<String>) {
        let mut users = self.users.lock().unwrap();
        match &fields {
            Some(fields) => users.insert(address.to_owned(), fields.clone()),
            None => users.remove(address),
        };
        let mut table = String::new();
        for (address, fields) in users.iter() {
            writeln!(table, "{address}:::::::{fields}").unwrap();
        }
        let path = self.directory.join("special");
        fs::write(path.with_extension("new"), table).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
        let wanted = fields.unwrap_or_default();
        // Dovecot looks at its table once in a second at most
        let known = (0..400).any(|_| {
            let shown = self.doveadm().args(["user", address]).output().unwrap();
            let shown = String::from_utf8_lossy(&shown.stdout).replace('\t', "=");
            let now: Vec<_> = wanted.split(' ').filter_map(|field| field.strip_prefix("userdb_")).collect();
            now.iter().all(|field| shown.contains(field))
                && shown.contains("quota") == wanted.contains("quota")
        });
        assert!(known, "Dovecot knows what is special about {address}");
        // 68: nobody is connected
        let kicked = self.doveadm().args(["kick", address]).output().unwrap();
        assert!(matches!(kicked.status.code(), Some(0 | 68)), "{kicked:?}");
    }
}
