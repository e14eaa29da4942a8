//! NUL, which PostgreSQL keeps in no text: refused wherever a stranger, a person or a client can put one, by a server on
//! Postgres.

use crate::world::{EMAIL, World};
use imapmcp_testkit::postgres::Postgres;
use serde_json::{Value, json};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn world(postgres: &mut Postgres) -> World {
    let mut world = World::new(&[("IMAPMCP_DATABASE_URL", &postgres.database("nul"))]);
    world.add_demo_account();
    world.start();
    world
}

/// A page and the cookies that came with it.
fn page(world: &World, path: &str, cookie: &str) -> (u16, String, String) {
    let agent =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().new_agent();
    let mut page = agent.get(format!("{}{path}", world.url)).header("Cookie", cookie).call().unwrap();
    let cookies = page.headers().get_all("set-cookie").iter();
    let cookies: Vec<&str> = cookies.map(|set| set.to_str().unwrap().split(';').next().unwrap()).collect();
    let cookies = cookies.join("; ");
    (page.status().as_u16(), cookies, page.body_mut().read_to_string().unwrap())
}

fn csrf(page: &str) -> &str {
    page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}

/// Cookies and CSRF token of somebody who has signed in.
fn signed_in(world: &World) -> (String, String) {
    let (_, cookie, login) = page(world, "/login", "");
    let email = EMAIL.replace('@', "%40");
    let body = format!("csrf={}&email={email}&password=correct+horse+battery", csrf(&login));
    let agent =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().new_agent();
    let request = agent.post(format!("{}/login", world.url)).header("Cookie", &cookie).header(FORM.0, FORM.1);
    let answer = request.send(body.as_bytes()).unwrap();
    assert_eq!(answer.status().as_u16(), 303);
    let cookies = answer.headers().get_all("set-cookie").iter();
    let cookies: Vec<&str> = cookies.map(|set| set.to_str().unwrap().split(';').next().unwrap()).collect();
    let cookie = cookies.join("; ");
    let (status, _, form) = page(world, "/accounts/new", &cookie);
    assert_eq!(status, 200);
    let csrf = csrf(&form).to_owned();
    (cookie, csrf)
}

#[test]
fn nul_in_a_form_or_an_address_is_a_bad_request() {
    let Some(mut postgres) = Postgres::start() else { return };
    let world = world(&mut postgres);
    let (cookie, csrf) = signed_in(&world);
    let mut anonymous = page(&world, "/login", "");
    anonymous.2 = self::csrf(&anonymous.2).to_owned();
    let visitors = [(&anonymous.1, &anonymous.2), (&cookie, &csrf)];
    for (path, fields) in [
        ("/login", "email=a%00b&password=x"),
        ("/login", "email=a%40example.com&password=%00"),
        ("/login", "email=a%40example.com&password=x&next=%00"),
        ("/setup", "token=%00&email=a%40example.com&password=correct+horse+battery"),
        ("/oauth/token", "grant_type=authorization_code&code=%00&client_id=x"),
        ("/oauth/token", "grant_type=refresh_token&refresh_token=x&client_id=a%00b"),
        ("/oauth/revoke", "token=a%00b"),
        ("/oauth/consent", "request=a%00b&decision=allow"),
        ("/accounts/new", "label=a%00b&email=a%40example.com&password=x"),
        ("/accounts/new", "email=a%40example.com&imap_host=a%00b&password=x"),
        ("/accounts/acc_x/password", "password=a%00b"),
        ("/accounts/acc_x/aliases", "aliases=a%00b"),
        ("/outbox", "act=a%00b"),
        ("/outbox/a%00b", "act=cancel"),
        ("/connections/a%00b/end", "x=y"),
    ] {
        for (cookie, csrf) in visitors {
            let body = format!("csrf={csrf}&{fields}");
            let (status, _, answer) = world.post(path, &[FORM, ("Cookie", cookie)], body.as_bytes());
            assert_eq!(status, 400, "{path} {fields}: {answer}");
        }
        let (status, _, _) = world.post(path, &[FORM], fields.replace("%00", "\0").as_bytes());
        assert_eq!(status, 400, "{path} {fields}, as it is");
    }
    for path in [
        "/accounts/a%00b",
        "/outbox/a%00b",
        "/outbox?cursor=a%00b",
        "/login?next=%00",
        "/oauth/authorize?response_type=code&client_id=a%00b&redirect_uri=http%3A%2F%2Flocalhost%2Fcb&state=x",
        "/oauth/authorize?response_type=code&client_id=x&state=a%00b",
        "/oauth/consent?request=a%00b",
        "/attachments/a%00b",
        "/static/a%00b",
    ] {
        assert_eq!(page(&world, path, &cookie).0, 400, "{path}");
    }
    let file = ureq::put(format!("{}/uploads/a%00b", world.url)).config().http_status_as_error(false).build();
    assert_eq!(file.send(b"x".as_slice()).unwrap().status().as_u16(), 400);
}

#[test]
fn nul_in_a_registration_is_no_fault_of_ours() {
    let Some(mut postgres) = Postgres::start() else { return };
    let world = world(&mut postgres);
    let redirect = "http://localhost/cb";
    for (metadata, status) in [
        // names are cleaned of what cannot be shown
        (json!({ "client_name": "a\0b", "redirect_uris": [redirect] }), 201),
        (json!({ "client_name": "\0", "redirect_uris": [redirect] }), 201),
        (json!({ "client_name": "x", "redirect_uris": ["http://localhost/a\0b"] }), 400),
        (json!({ "client_name": "x", "redirect_uris": ["https://example.com/a\0b"] }), 400),
        (json!({ "client_name": "x", "redirect_uris": [redirect], "software_id": "a\0b" }), 201),
    ] {
        let (found, _, answer) = world.post("/oauth/register", &[JSON], metadata.to_string().as_bytes());
        assert_eq!(found, status, "{metadata}: {answer}");
        assert!(!answer.contains("\\u0000") && !answer.contains('\0'), "{answer}");
    }
}

/// Something with a NUL in it that the schema of an argument allows otherwise; none where it allows no text.
fn with_nul(schema: &Value) -> Option<Value> {
    let takes = |kind: &str| {
        let own = &schema["type"];
        own == kind || own.as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind))
    };
    if takes("string") {
        return Some(json!("a\0b"));
    }
    if takes("array") {
        return with_nul(&schema["items"]).map(|item| json!([item]));
    }
    takes("object").then(|| json!({ "name": "a\0b" }))
}

#[test]
fn nul_in_any_argument_of_any_tool_is_told_of_that_argument() {
    let Some(mut postgres) = Postgres::start() else { return };
    let world = world(&mut postgres);
    let token = world.token(&[]);
    let tools = world.rpc(&token, "tools/list", &json!({}));
    let mut tried = 0;
    for tool in tools["result"]["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        for (argument, schema) in tool["inputSchema"]["properties"].as_object().unwrap() {
            let Some(value) = with_nul(schema) else { continue };
            let answer =
                world.rpc(&token, "tools/call", &json!({ "name": name, "arguments": { argument: value } }));
            let text = answer["result"]["content"][0]["text"].as_str();
            let error = text.map(|text| serde_json::from_str::<Value>(text).unwrap());
            let code = error.as_ref().map(|error| &error["error"]["code"]);
            assert_eq!(code, Some(&json!("invalid_argument")), "{name} {argument}: {answer}");
            tried += 1;
        }
        let odd = world.rpc(&token, "tools/call", &json!({ "name": name, "arguments": { "a\0b": "x" } }));
        assert_eq!(odd["result"]["isError"], true, "{name}: {odd}");
        assert!(!odd.to_string().contains("internal"), "{name}: {odd}");
    }
    assert!(tried > 60, "{tried}");
    // what is no argument of a tool
    for (method, params) in [
        ("tools/call", json!({ "name": "a\0b", "arguments": {} })),
        ("resources/read", json!({ "uri": "mail://a\0b" })),
        ("resources/read", json!({ "uri": "imap://x/a%00b" })),
        ("prompts/get", json!({ "name": "a\0b" })),
    ] {
        let answer = world.rpc(&token, method, &params);
        let code = answer["error"]["code"].as_i64();
        assert!(code.is_some_and(|code| code != -32_603), "{method} {params}: {answer}");
    }
    let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "a\0b", "version": "\0" } });
    let answer = world.rpc(&token, "initialize", &hello);
    assert!(answer["result"].is_object() || answer["error"]["code"] != -32_603, "{answer}");
    assert!(world.call(&token, "list_accounts", &json!({})).is_ok());
}
