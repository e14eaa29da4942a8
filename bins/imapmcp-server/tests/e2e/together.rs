//! Several accounts searched at once: as quick as the slowest of them, and honest about one that says nothing.

use crate::world::World;
use imapmcp_testkit::{proxy::Proxy, servers::MailServers};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PASSWORD: &str = "mailbox-Passw0rd";
/// How far away the servers are, in milliseconds; the last is the farthest.
const AWAY: [u64; 4] = [60, 80, 100, 120];

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn four_accounts_take_as_long_as_the_slowest_and_a_silent_one_is_told() {
    let Some(servers) = MailServers::imap_only() else { return };
    let proxies = AWAY.map(|away| Proxy::late(servers.imap_port, Duration::from_millis(away)));
    let egress: Vec<String> = proxies.iter().map(|proxy| format!("127.0.0.1:{}", proxy.port)).collect();
    let mut world = World::new(&[
        ("IMAPMCP_EGRESS_ALLOW", &egress.join(",")),
        ("IMAPMCP_ALLOW_INSECURE", "1"),
        ("IMAPMCP_RATE_LIMIT", "10000/min"),
        ("IMAPMCP_LOG", "info"),
    ]);
    let mut accounts = Vec::new();
    for (number, proxy) in proxies.iter().enumerate() {
        let address = servers.add_user(&format!("user{number}"), PASSWORD);
        for index in 0..20 {
            let header =
                format!("Message-ID: <{number}.{index}@x>\r\nFrom: a@b.example\r\nSubject: plan {index}");
            servers.deliver(&address, &format!("{header}\r\n\r\ntext\r\n"));
        }
        let imap = format!("imap+insecure://{}@127.0.0.1:{}", address.replace('@', "%40"), proxy.port);
        accounts.push(world.add_account(
            &format!("Account {number}"),
            &address,
            &imap,
            "smtps://localhost:465",
            PASSWORD,
        ));
    }
    let token = world.token(&[]);
    world.start();
    let search = |arguments: &Value| {
        let begun = Instant::now();
        let found = world.call(&token, "search_messages", arguments).unwrap();
        (begun.elapsed(), found)
    };
    let every = json!({ "accounts": "all", "subject": "plan", "limit": 100 });
    let slowest = json!({ "account_id": accounts[3], "subject": "plan", "limit": 100 });
    // logins and the first look at a folder are not what is compared
    for arguments in [&every, &slowest, &every, &slowest] {
        search(arguments);
    }
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let (took, found) = search(&slowest);
        assert_eq!(found["total"], 20);
        alone.push(took);
        let (took, found) = search(&every);
        assert_eq!((&found["total"], &found["coverage"]["failed"]), (&json!(80), &json!([])), "{found}");
        together.push(took);
    }
    let (alone, together) = (median(alone), median(together));
    let ratio = together.as_secs_f64() / alone.as_secs_f64();
    assert!(alone >= Duration::from_millis(AWAY[3]), "the distance counts: {alone:?}");
    assert!(ratio <= 1.3, "{together:?} for four, {alone:?} for the slowest: {ratio:.2}");

    // while its folders are listed, or while it is searched
    proxies[1].hang(true);
    std::thread::scope(|scope| {
        for folders in ["one", "all"] {
            let (search, every) = (&search, &every);
            scope.spawn(move || {
                let mut arguments = every.clone();
                arguments["folders"] = json!(folders);
                let (took, found) = search(&arguments);
                assert!(took < Duration::from_secs(28), "{folders}: {took:?}");
                let coverage = &found["coverage"];
                let failed = coverage["failed"].as_array().unwrap();
                assert_eq!(failed.len(), 1, "{folders}: {coverage}");
                let told = (&failed[0]["account"], &failed[0]["code"]);
                assert_eq!(told, (&json!("Account 1"), &json!("timeout")));
                let searched = coverage["searched"].to_string();
                for (number, seen) in [true, false, true, true].into_iter().enumerate() {
                    assert_eq!(
                        searched.contains(&format!("Account {number}")),
                        seen,
                        "{folders}: {coverage}"
                    );
                }
                assert_eq!(found["messages"].as_array().unwrap().len(), 60, "{folders}");
            });
        }
    });
    // and once it speaks again it is searched again, as soon as its rest after those failures is over
    proxies[1].hang(false);
    let speaks = Instant::now();
    while search(&every).1["total"] != 80 {
        assert!(speaks.elapsed() < Duration::from_secs(10), "it is not searched again");
    }
    #[expect(clippy::print_stderr, reason = "the figure")]
    {
        eprintln!("{together:?} for four accounts, {alone:?} for the slowest alone: {ratio:.2}");
    }
}
