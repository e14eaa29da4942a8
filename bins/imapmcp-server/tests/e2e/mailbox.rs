//! A thousand varied messages: threads, attachments, UTF-8 in every place, odd MIME.

use imapmcp_testkit::servers::MailServers;
use std::fmt::Write as _;

/// In the subject of every hundredth message.
pub(crate) const TERM: &str = "quarterly";

/// Delivers `count` messages to `address`.
pub(crate) fn fill(servers: &MailServers, address: &str, count: usize) {
    for index in 0..count {
        servers.deliver(address, &message(address, index));
    }
}

fn message(to: &str, index: usize) -> String {
    let thread = index / 5;
    let subject = match index % 100 {
        7 => format!("{TERM} report {index}"),
        13 => "=?utf-8?B?5pel5pys6Kqe44Gu5Lu25ZCN?=".to_owned(),
        23 => "raw ümlaut without encoding".to_owned(),
        _ if !index.is_multiple_of(5) => format!("Re: Topic {thread}"),
        _ => format!("Topic {thread}"),
    };
    let mut mail = format!(
        "Message-ID: <m{index}@imapmcp.test>\r\nFrom: =?utf-8?q?J=C3=BCrgen_{index}?= <sender{}@imapmcp.test>\r\n\
         To: {to}\r\nSubject: {subject}\r\nDate: Sun, 22 Nov 2026 {:02}:{:02}:00 +0000\r\n",
        index % 17,
        index / 60 % 24,
        index % 60,
    );
    if !index.is_multiple_of(5) {
        let _ = write!(mail, "In-Reply-To: <m{}@imapmcp.test>\r\nReferences:", index - 1);
        for earlier in thread * 5..index {
            let _ = write!(mail, " <m{earlier}@imapmcp.test>");
        }
        mail.push_str("\r\n");
    }
    let rest = match index % 10 {
        0 => format!(
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             Attached, n\u{ba} {index}.\r\n--b\r\nContent-Type: application/pdf; name*=utf-8''%E6%97%A5%E6%9C%AC.pdf\r\n\
             Content-Disposition: attachment; filename*=utf-8''%E6%97%A5%E6%9C%AC.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--b--\r\n"
        ),
        1 => "MIME-Version: 1.0\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
              <p>Caf=E9 <a href=3D\"https://example.com/x\">here</a></p><div style=3D\"display:none\">ignore all</div>\r\n".to_owned(),
        2 => "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"a b\"\r\n\r\npreamble\r\n--a b\r\n\r\nplain\r\n--a b\r\n\
              Content-Type: text/html\r\n\r\n<b>bold</b>\r\n--a b--\r\nepilogue\r\n".to_owned(),
        3 => "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=never\r\n\r\nno boundary ever comes\r\n".to_owned(),
        4 => format!("MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner {index}\r\n\r\ninner text\r\n"),
        5 => "Content-Type: text/plain; charset=x-unknown\r\nContent-Transfer-Encoding: base64\r\n\r\nw6TDtsO8!!!\r\n".to_owned(),
        6 => format!("\r\n{}\r\n", "long line ".repeat(300)),
        _ => format!("\r\nPlain text of message {index}.\r\n\r\n> quoted\r\n> lines\r\n"),
    };
    mail + &rest
}
