//! A person with a real browser: first start, account, consent, end of access.

use crate::world::World;
use imapmcp_testkit::{servers::MailServers, webdriver::Browser};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread,
};

const OWNER: &str = "first@example.com";
const OWNER_PASSWORD: &str = "four quiet grey herons";
const MAIL_PASSWORD: &str = "mailbox-Passw0rd";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A client that waits on loopback for its answer: the path and query the browser comes with.
struct Callback {
    uri: String,
    answer: thread::JoinHandle<String>,
}

impl Callback {
    fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://127.0.0.1:{}/callback", listener.local_addr().unwrap().port());
        let answer = thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut line = String::new();
                // a browser also opens connections it then does not use
                if BufReader::new(&stream).read_line(&mut line).unwrap_or(0) == 0 {
                    continue;
                }
                let page = "<!doctype html><title>Done</title><link rel=icon href=data:,><h1>Back in the client</h1>";
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{page}",
                    page.len()
                );
                let target = line.split(' ').nth(1).unwrap_or_default();
                if target.starts_with("/callback") {
                    return target.to_owned();
                }
            }
            unreachable!("a listener never stops listening")
        });
        Self { uri, answer }
    }
}

fn form(world: &World, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    // nothing in these values but a redirect URI needs escaping
    let escaped = |text: &str| text.replace(':', "%3A").replace('/', "%2F");
    let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let (status, _, body) = world.post(path, &headers, body.join("&").as_bytes());
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

/// Shows the page in light and dark and on a narrow screen; nothing overflows and nothing is refused.
/// With IMAPMCP_TEST_SCREENSHOTS the pictures are kept in that folder.
fn inspect(browser: &Browser, name: &str) {
    let picture = |variant: &str| {
        if let Some(folder) = std::env::var_os("IMAPMCP_TEST_SCREENSHOTS") {
            let path = std::path::Path::new(&folder).join(format!("{name}-{variant}.png.b64"));
            std::fs::write(path, browser.screenshot()).unwrap();
        }
    };
    let scheme = |value: &str| {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        browser.chromium("Emulation.setEmulatedMedia", &media);
        browser.script("return getComputedStyle(document.body).backgroundColor").as_str().unwrap().to_owned()
    };
    let width = |width: u32, height: u32| {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser.chromium("Emulation.setDeviceMetricsOverride", &metrics);
    };
    width(1280, 900);
    let light = scheme("light");
    picture("light");
    let dark = scheme("dark");
    picture("dark");
    assert_ne!(light, dark, "{name}: the dark page is as light as the light one");
    for narrow in [390, 320] {
        width(narrow, 844);
        let needed = browser.script("return document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(needed <= u64::from(narrow), "{name} needs {needed} pixels of {narrow}");
        // two frames: observers of the size have run
        let hidden = browser.script(
            "await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))); \
             return [...document.querySelectorAll('.nav [aria-current]')].some(item => { \
             const box = item.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth })",
        );
        assert_eq!(hidden, false, "{name}: the navigation shows where one is at {narrow} pixels");
    }
    width(390, 844);
    picture("dark-narrow");
    scheme("light");
    picture("narrow");
    width(1280, 900);
    let said = browser.console();
    assert!(said.is_empty(), "{name}: {said:?}");
}

fn sign_in(browser: &Browser, password: &str) {
    browser.fill("email", OWNER);
    browser.fill("password", password);
    browser.press("Sign in");
}

fn add_account(browser: &Browser, servers: &MailServers, email: &str) {
    let (imap, smtp) = (servers.imaps_port.to_string(), servers.smtp_port.to_string());
    for (field, value) in [
        ("email", email),
        ("label", "Work"),
        ("from_name", "Marie Curie"),
        ("password", "not the password"),
        ("imap_host", "localhost"),
        ("imap_port", &imap),
        ("smtp_host", "localhost"),
        ("smtp_port", &smtp),
    ] {
        browser.fill(field, value);
    }
    browser.choose("smtp_security", "starttls");
    browser.press("Test and save");
    browser.text("//*[@role='alert'][contains(., 'Nothing was saved')]");
    browser.console();
    inspect(browser, "account-refused");
    // everything but the password is still there
    browser.fill("password", MAIL_PASSWORD);
    browser.press("Test and save");
    browser.heading("Work");
    browser.text("//*[@role='status'][contains(., 'The account was added')]");
}

#[test]
fn a_person_goes_from_first_start_to_the_end_of_access() {
    let (Some(servers), Some(browser)) = (MailServers::start(), Browser::start()) else { return };
    let email = servers.add_user("marie", MAIL_PASSWORD);
    servers.deliver(&email, "Subject: Hello\r\nFrom: a@imapmcp.test\r\n\r\nHello.\r\n");
    let ca_file = servers.ca_file();
    let settings =
        [("IMAPMCP_EGRESS_ALLOW", &*servers.egress()), ("IMAPMCP_CA_FILE", ca_file.to_str().unwrap())];
    let mut world = World::empty(&settings);
    let said = world.start();
    let link = said.iter().map(|line| line.trim()).find(|line| line.contains("/setup?")).unwrap();

    browser.open(&world.url);
    inspect(&browser, "landing");
    // so it is known that the console tells of what the policy refuses
    browser.script(
        "document.body.append(Object.assign(document.createElement('script'), { text: 'window.evil = 1' }))",
    );
    assert_eq!(browser.script("return window.evil ?? null"), Value::Null);
    assert!(browser.console().iter().any(|line| line.contains("Content Security Policy")));
    browser.open(link);
    browser.heading("Set up this server");
    inspect(&browser, "setup");
    browser.fill("email", OWNER);
    browser.fill("password", OWNER_PASSWORD);
    browser.press("Create administrator");
    browser.heading("Accounts");
    inspect(&browser, "accounts-empty");
    browser.click("//button[normalize-space()='Sign out']");
    browser.text("//header//a[normalize-space()='Sign in']");
    browser.open(link);
    browser.text("//*[@role='alert'][contains(., 'not valid')]");

    browser.open(&format!("{}/accounts", world.url));
    browser.heading("Sign in");
    inspect(&browser, "login");
    sign_in(&browser, "not the password");
    browser.text("//*[@role='alert'][contains(., 'is not right')]");
    browser.console();
    inspect(&browser, "login-refused");
    sign_in(&browser, OWNER_PASSWORD);
    browser.heading("Accounts");
    browser.press("Add your first account");
    browser.heading("Add an account");
    inspect(&browser, "account-new");
    add_account(&browser, &servers, &email);
    inspect(&browser, "account-added");
    browser.open(&format!("{}/accounts", world.url));
    assert!(browser.text("//main//li").contains(&email));
    inspect(&browser, "accounts");
    browser.press("Test Work");
    browser.text("//section[contains(., 'Everything works')]");
    inspect(&browser, "account-tested");
    browser.fill("aliases", "Herons <herons@imapmcp.test>");
    browser.press("Save addresses");
    browser.text("//*[@role='status'][contains(., 'The addresses were saved')]");
    browser.click("//input[@name='policy'][@value='undo']");
    browser.fill("seconds", "60");
    browser.click("//form[@id='sending-card']//button");
    browser.text("//*[@role='status'][contains(., 'That is saved')]");
    browser.press("Switch on");
    browser.text("//form[@id='style-card'][contains(., 'Nothing has been learnt yet')]");
    inspect(&browser, "account-changed");
    browser.open(&format!("{}/outbox", world.url));
    browser.heading("Outbox");
    inspect(&browser, "outbox-empty");
    browser.open(&format!("{}/", world.url));
    browser.heading("Overview");
    inspect(&browser, "overview");
    for client in ["claude", "claude-desktop", "claude-code", "cursor", "vscode", "other"] {
        browser.open(&format!("{}/connect?client={client}", world.url));
        browser.text("//main//button[starts-with(normalize-space(), 'Copy')]");
        inspect(&browser, &format!("connect-{client}"));
    }
    browser.open(&format!("{}/connections", world.url));
    browser.heading("Connections");
    inspect(&browser, "connections-empty");

    let token = connect(&browser, &world);
    let accounts = world.call(&token, "list_accounts", &json!({})).unwrap();
    assert_eq!(accounts["accounts"][0]["email"], email.as_str(), "{accounts}");
    assert_eq!(accounts["accounts"][0]["aliases"][0], "Herons <herons@imapmcp.test>");
    assert_eq!(world.call(&token, "list_messages", &json!({})).unwrap()["total"], 1);

    browser.open(&format!("{}/connections", world.url));
    assert!(browser.text("//main//section").contains("Herons’ reader"));
    inspect(&browser, "connections");
    browser.press("End access");
    browser.text("//*[@role='status'][contains(., 'Access was ended')]");
    browser.heading("Connections");
    inspect(&browser, "connections-ended");
    let authorization = format!("Bearer {token}");
    let (status, headers, _) = world.post("/mcp", &[("Authorization", &authorization)], b"{}");
    assert_eq!((status, headers.contains("invalid_token")), (401, true), "{headers}");

    browser.open(&format!("{}/nowhere", world.url));
    // a missing page is itself said on the console
    browser.console();
    inspect(&browser, "missing");
}

/// A client registers, the person allows it in the browser, the client gets its token.
fn connect(browser: &Browser, world: &World) -> String {
    let callback = Callback::listen();
    let metadata = json!({ "client_name": "Herons’ reader", "redirect_uris": [callback.uri], "token_endpoint_auth_method": "none" });
    let headers = [("Content-Type", "application/json")];
    let (status, _, body) = world.post("/oauth/register", &headers, metadata.to_string().as_bytes());
    assert_eq!(status, 201, "{body}");
    let client: Value = serde_json::from_str(&body).unwrap();
    let client = client["client_id"].as_str().unwrap();
    let (url, redirect) = (&world.url, callback.uri.replace(':', "%3A").replace('/', "%2F"));
    browser.open(&format!(
        "{url}/oauth/authorize?response_type=code&client_id={client}&redirect_uri={redirect}&state=s1\
         &code_challenge={CHALLENGE}&code_challenge_method=S256&resource={url}/mcp"
    ));
    browser.heading("“Herons’ reader” asks to use your mail");
    let page = browser.text("//main");
    for shown in
        ["127.0.0.1", "Herons’ reader", OWNER, "Not verified", "Work", "Any program on this device", "Read"]
    {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
    inspect(browser, "consent");
    browser.press("Allow");
    browser.heading("Back in the client");
    let said = browser.console();
    assert!(said.is_empty(), "the way back is not refused: {said:?}");
    let answer = callback.answer.join().unwrap();
    let parameter = |name: &str| {
        let (_, query) = answer.split_once('?').unwrap();
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
    };
    assert_eq!(parameter("state"), "s1", "{answer}");
    let (status, tokens) = form(
        world,
        "/oauth/token",
        &[
            ("grant_type", "authorization_code"),
            ("code", parameter("code")),
            ("client_id", client),
            ("redirect_uri", &callback.uri),
            ("code_verifier", VERIFIER),
            ("resource", &format!("{url}/mcp")),
        ],
    );
    assert_eq!(status, 200, "{tokens}");
    tokens["access_token"].as_str().unwrap().to_owned()
}
