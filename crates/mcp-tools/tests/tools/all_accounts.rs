//! `accounts: all` of a list: one list by date over accounts on several servers, one of which may fail.

use crate::house::{House, house_of};
use imapmcp_accounts::NewAccount;
use imapmcp_core::{
    account::{AuthKind, Backend, Endpoint, Login, Security},
    mail::MailStore,
    time::Timestamp,
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{MailOptions, memory::MemoryMail};
use imapmcp_testkit::{
    FakeClock, builders,
    servers::{Features, ScriptedImap},
};
use serde_json::{Value, json};
use std::{net::TcpListener, sync::Arc};

const THEN: Timestamp = Timestamp(1_740_000_000_000);

/// A server with one mailbox.
struct Server {
    memory: MemoryMail,
    demo: Login,
    imap: ScriptedImap,
}

/// The owner's accounts, each on its own server, and one whose server takes no connection.
struct Accounts {
    house: House,
    servers: Vec<Server>,
}

fn at_port(port: u16) -> Backend {
    let endpoint = Endpoint { host: "127.0.0.1".into(), port, security: Security::Insecure };
    Backend::Servers { imap: endpoint.clone(), smtp: endpoint }
}

async fn accounts(count: usize, broken: bool) -> Accounts {
    let mut servers = Vec::new();
    for number in 0..count {
        let memory = MemoryMail::empty(Arc::new(FakeClock::default()));
        let demo = builders::demo_login(&format!("behind{number}"));
        let imap = ScriptedImap::start(memory.mailbox(&demo), Features::modern()).await;
        servers.push(Server { memory, demo, imap });
    }
    // free a moment ago: nobody listens
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut allowed: Vec<String> = servers.iter().map(|server| server.imap.egress()).collect();
    allowed.push(format!("127.0.0.1:{nobody}"));
    let mut options = MailOptions::new(Arc::new(Dialer::new(allowed.join(",").parse().unwrap())));
    options.allow_insecure = true;
    let house = house_of(options, at_port(servers[0].imap.port)).await;
    let others = servers[1..].iter().map(|server| server.imap.port).chain(broken.then_some(nobody));
    for (number, port) in others.enumerate() {
        let address = format!("me{number}@example.com");
        let new = NewAccount {
            label: format!("Account {number}"),
            email: address.clone(),
            from_name: None,
            backend: at_port(port),
            imap_username: address.clone(),
            smtp_username: address,
            auth: AuthKind::Password,
            password: "x".into(),
            is_default: false,
        };
        house.services.accounts.add(&house.owner.user, new).await.unwrap();
    }
    Accounts { house, servers }
}

impl Accounts {
    /// A message of one of the accounts, or of several, that arrived at that second.
    fn deliver(&self, accounts: &[usize], subject: &str, second: i64) {
        let message =
            format!("Message-ID: <{subject}@x>\r\nSubject: {subject}\r\n\r\nThe words of {subject}.\r\n");
        for account in accounts {
            let Server { memory, demo, .. } = &self.servers[*account];
            memory.deliver(demo, "INBOX", message.clone().into(), THEN.plus_seconds(second)).unwrap();
        }
    }

    /// All rows, page by page, and the first page.
    async fn page_through(&self, mut call: Value) -> (Vec<Value>, Value) {
        let (mut rows, mut first) = (Vec::new(), None);
        for _ in 0..200 {
            let page = self.house.owner("list_messages", call.clone()).await;
            let rows_of_page = u64::try_from(page["messages"].as_array().unwrap().len()).unwrap();
            assert!(rows_of_page <= call["limit"].as_u64().unwrap_or(50));
            rows.extend(page["messages"].as_array().unwrap().iter().cloned());
            call["cursor"] = page["next_cursor"].clone();
            first.get_or_insert(page);
            if call["cursor"].is_null() {
                return (rows, first.unwrap());
            }
        }
        panic!("it does not come to an end")
    }
}

fn subjects(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["subject"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_two_and_three_accounts_are_one_by_date_page_by_page() {
    for count in [2, 3] {
        let accounts = accounts(count, false).await;
        // in bursts: four of one account, then of the next
        for number in 0..40 {
            let account = (number / 4) % count;
            accounts.deliver(&[account], &format!("m{number}"), i64::try_from(number).unwrap());
        }
        let right: Vec<String> = (0..40).rev().map(|number| format!("m{number}")).collect();
        for limit in [1, 3, 7, 40, 50] {
            let call = json!({ "accounts": "all", "limit": limit, "snippets": limit == 7 });
            let (rows, first) = accounts.page_through(call).await;
            assert_eq!(subjects(&rows), right, "{count} accounts, pages of {limit}");
            assert_eq!((&first["total"], &first["coverage"]["failed"]), (&json!(40), &json!([])));
            let of: std::collections::HashSet<_> =
                rows.iter().map(|row| row["account_id"].to_string()).collect();
            assert_eq!(of.len(), count);
            for row in rows.iter().filter(|_| limit == 7) {
                assert_eq!(
                    row["snippet"],
                    json!(format!("The words of {}.", row["subject"].as_str().unwrap()))
                );
            }
        }
        let since = json!({ "accounts": "all", "since": THEN.plus_seconds(30).to_rfc3339(), "limit": 4 });
        assert_eq!(subjects(&accounts.page_through(since).await.0), right[..10]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_to_several_accounts_is_told_once_wherever_a_page_ends() {
    let accounts = accounts(3, false).await;
    for number in 0..20 {
        let to: &[usize] = if number % 3 == 0 { &[0, 1, 2] } else { &[number % 2] };
        accounts.deliver(to, &format!("m{number}"), i64::try_from(number).unwrap());
    }
    let right: Vec<String> = (0..20).rev().map(|number| format!("m{number}")).collect();
    for limit in [1, 2, 3, 5, 20] {
        let (rows, _) = accounts.page_through(json!({ "accounts": "all", "limit": limit })).await;
        assert_eq!(subjects(&rows), right, "pages of {limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_fails_is_told_and_hides_none_of_the_others() {
    let accounts = accounts(2, true).await;
    for number in 0..9 {
        accounts.deliver(&[number % 2], &format!("m{number}"), i64::try_from(number).unwrap());
    }
    let right: Vec<String> = (0..9).rev().map(|number| format!("m{number}")).collect();
    for (more, limit) in
        [(json!({}), 4), (json!({ "snippets": true }), 2), (json!({ "unread_only": true }), 9)]
    {
        let mut call = json!({ "accounts": "all", "limit": limit });
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (rows, first) = accounts.page_through(call).await;
        assert_eq!(subjects(&rows), right, "{more}");
        let failed = first["coverage"]["failed"].as_array().unwrap();
        assert_eq!((failed.len(), &failed[0]["account"]), (1, &json!("Account 1")), "{failed:?}");
        assert!(failed[0]["code"].is_string() && failed[0]["hint"].is_string(), "{failed:?}");
    }
}
