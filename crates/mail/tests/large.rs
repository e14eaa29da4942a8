//! A folder of very many messages: what is asked of a real server does not grow with it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_core::{
    account::{Credential, Login, Security},
    mail::{Criterion, MailStore, Mailbox, Page},
    time::Timestamp,
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_testkit::{builders, proxy::Proxy, servers::MailServers};
use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write as _},
    net::TcpStream,
    sync::Arc,
};

struct House {
    proxy: Proxy,
    mailbox: Arc<dyn Mailbox>,
    count: i64,
    _mail: Mail,
    _servers: MailServers,
}

impl House {
    fn new() -> Option<Self> {
        let servers = MailServers::imap_only()?;
        // by hand with more: IMAPMCP_TEST_MESSAGES=100000
        let count = std::env::var("IMAPMCP_TEST_MESSAGES").map_or(1_200, |count| count.parse().unwrap());
        let address = servers.add_user("ada", "x");
        fill(servers.imap_port, &address, count);
        let proxy = Proxy::recording(servers.imap_port);
        let mut options =
            MailOptions::new(Arc::new(Dialer::new(format!("127.0.0.1:{}", proxy.port).parse().unwrap())));
        options.allow_insecure = true;
        let mail = Mail::new(options).unwrap();
        let mailbox = mail.mailbox(&Login {
            imap_username: address.clone(),
            smtp_username: address,
            credential: Credential::Password("x".into()),
            ..builders::login_at("large", proxy.port, Security::Insecure)
        });
        Some(Self { proxy, mailbox, count, _mail: mail, _servers: servers })
    }

    /// Commands of this kind that were said so far.
    fn said(&self, command: &str) -> usize {
        let said = self.proxy.dialogues().concat();
        String::from_utf8_lossy(&said).lines().filter(|line| line.contains(command)).count()
    }

    /// All that is found, in pages of 200; how many pages and round trips that took.
    async fn found(&self, criterion: &Criterion) -> (usize, usize, usize) {
        let before = self.proxy.turns();
        let (mut page, mut found, mut pages) = (Page { limit: 200, after: None }, 0, 0);
        loop {
            let listing = self.mailbox.search(&"INBOX".into(), criterion, &page).await.unwrap();
            (found, pages, page.after) = (found + listing.messages.len(), pages + 1, listing.next);
            if page.after.is_none() || found >= 5_000 {
                return (found, pages, self.proxy.turns() - before);
            }
        }
    }
}

/// Puts so many messages into INBOX, one a second.
fn fill(port: u16, address: &str, count: i64) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut answers = |tag: &str, many: usize| {
        let own = lines.by_ref().map(Result::unwrap).filter(|line| line.starts_with(tag));
        assert!(own.take(many).all(|line| line.starts_with(&format!("{tag} OK"))));
    };
    write!(stream, "a LOGIN {address} x\r\n").unwrap();
    answers("a", 1);
    let numbers: Vec<i64> = (0..count).collect();
    for some in numbers.chunks(200) {
        let mut appends = String::new();
        for number in some {
            let message = builders::small_message(*number);
            let date = Timestamp(1_740_000_000_000).plus_seconds(*number).to_rfc2822();
            let (date, length) = (date[5..].replacen(' ', "-", 2), message.len());
            write!(appends, "b APPEND INBOX \"{date}\" {{{length}+}}\r\n{message}\r\n").unwrap();
        }
        stream.write_all(appends.as_bytes()).unwrap();
        answers("b", some.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_long_search_cost_one_search_and_one_round_trip_each() {
    let Some(house) = House::new() else { return };
    let first = house.mailbox.list(&"INBOX".into(), &Page { limit: 50, after: None }).await.unwrap();
    assert_eq!((i64::from(first.total), first.messages.len()), (house.count, 50));
    let all = usize::try_from(house.count.min(5_000)).unwrap();
    let since = Timestamp(1_740_000_000_000).plus_seconds(100);
    for (criterion, expected) in [
        (Criterion::Subject("number".into()), all),
        (Criterion::And(vec![Criterion::Unseen, Criterion::From("bob".into())]), all),
        (
            Criterion::And(vec![Criterion::Unseen, Criterion::Since(since)]),
            all.min(usize::try_from(house.count).unwrap() - 100),
        ),
    ] {
        let before = house.said("SEARCH");
        let (found, pages, turns) = house.found(&criterion).await;
        assert_eq!(found, expected, "{criterion:?}");
        // its own, whether the server searches at all, and what lies about the ends of a period
        let searches = house.said("SEARCH") - before;
        assert!(searches <= 3, "{criterion:?}: {searches} searches");
        assert!(turns <= pages + 5, "{criterion:?}: {turns} round trips for {pages} pages");
    }
}
