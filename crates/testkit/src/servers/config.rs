//! Configuration of the private servers.

use crate::contract::mail::FOLDERS;
use std::{fmt::Write, fs, net::TcpListener, path::Path};

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
    let config = format!(
        r"base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{dir}/tls/server.pem
ssl_key = <{dir}/tls/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
mail_max_userip_connections = 200
mail_location = sdbox:~/mail
mail_fsync = never
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
postmaster_address = postmaster@imapmcp.test
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {dir}/special
  default_fields = uid=mail gid=mail home={dir}/mail/%u
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={dir}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
{special}{odd}}}
service imap-login {{
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener {{
    port = {auth}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"
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
    let main = format!(
        "compatibility_level = 3.6
queue_directory = {dir}/postfix/spool
data_directory = {dir}/postfix/data
maillog_file = {dir}/postfix.log
maillog_file_prefixes = {dir}
myhostname = mail.imapmcp.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
mynetworks =
virtual_mailbox_domains = imapmcp.test
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
default_transport = error:nothing leaves this server
relay_transport = error:nothing leaves this server
message_size_limit = 60000000
virtual_mailbox_limit = 0
mailbox_size_limit = 0
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth}
smtpd_sasl_security_options = noanonymous
smtpd_tls_security_level = may
smtpd_tls_cert_file = {dir}/tls/server.pem
smtpd_tls_key_file = {dir}/tls/server.key
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_restriction_classes = greylist
greylist = check_policy_service inet:127.0.0.1:{greylist}
smtpd_recipient_restrictions = check_recipient_access texthash:{dir}/postfix/recipients, reject_unauth_destination
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 2000
"
    );
    fs::write(folder.join("main.cf"), main).unwrap();
    let recipients = "later@imapmcp.test 450 4.2.0 try again later
full@imapmcp.test 452 4.2.2 mailbox full
nobody@imapmcp.test 550 5.1.1 no such user
greylisted@imapmcp.test greylist
";
    fs::write(folder.join("recipients"), recipients).unwrap();
    let mut master = format!(
        "127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"
    );
    for (service, kind, most, program) in [
        ("cleanup", "n", "0", "cleanup"),
        ("error", "-", "-", "error"),
        ("retry", "-", "-", "error"),
        ("lmtp", "-", "-", "lmtp"),
        ("anvil", "-", "1", "anvil"),
        ("scache", "-", "1", "scache"),
    ] {
        writeln!(master, "{service} unix {kind} - n - {most} {program}").unwrap();
    }
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
