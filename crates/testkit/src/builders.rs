//! Entities with sensible values; change what a test is about.

use imapmcp_core::{
    account::{Account, AuthKind, Backend, Credential, Endpoint, Health, Login, Security},
    address::EmailAddress,
    id::{AccountId, ClientId, GrantId, OutboxId, TokenId, UserId},
    oauth::{
        AccountScope, AuthorizationCode, Client, ClientKind, Grant, Issue, SendPolicy, Token, TokenKind,
    },
    operation::{Operation, OperationState},
    outbox::{OutboxEntry, OutboxState},
    permission::Permissions,
    secret::{Sealed, TokenHash},
    time::Timestamp,
    user::{BrowserSession, Origin, User},
};

/// Noon of the first day of 2026, UTC: where [`FakeClock`](crate::FakeClock) starts.
pub const NOON: Timestamp = Timestamp(1_767_268_800_000);

/// The resource of all grants made here.
pub const RESOURCE: &str = "https://mail.example/mcp";

/// `usr_{name}` with the address `{name}@example.com`, no administrator, no password.
pub fn user(name: &str) -> User {
    User {
        id: user_id(name),
        email: format!("{name}@example.com"),
        is_admin: false,
        password_hash: None,
        disabled_at: None,
        created_at: NOON,
    }
}

/// `usr_{name}`.
pub fn user_id(name: &str) -> UserId {
    format!("usr_{name}").parse().unwrap()
}

/// `acc_{name}`.
pub fn account_id(name: &str) -> AccountId {
    format!("acc_{name}").parse().unwrap()
}

/// `grt_{name}`.
pub fn grant_id(name: &str) -> GrantId {
    format!("grt_{name}").parse().unwrap()
}

/// `tok_{name}`.
pub fn token_id(name: &str) -> TokenId {
    format!("tok_{name}").parse().unwrap()
}

/// `out_{name}`.
pub fn outbox_id(name: &str) -> OutboxId {
    format!("out_{name}").parse().unwrap()
}

/// A login at the mailbox in memory, of `usr_{name}` and `acc_{name}`.
pub fn demo_login(name: &str) -> Login {
    Login {
        user: user_id(name),
        account: account_id(name),
        version: 1,
        backend: Backend::Demo,
        imap_username: "ada@example.org".into(),
        smtp_username: "ada@example.org".into(),
        credential: Credential::Password("none".into()),
    }
}

/// A login of `usr_{name}` at `acc_{name}`, both of whose servers are at this port of loopback.
pub fn login_at(name: &str, port: u16, security: Security) -> Login {
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port, security };
    Login {
        backend: Backend::Servers { imap: endpoint.clone(), smtp: endpoint },
        imap_username: "ada".into(),
        smtp_username: "ada".into(),
        credential: Credential::Password("secret".into()),
        ..demo_login(name)
    }
}

/// A small message from Bob: `number {number}`.
pub fn small_message(number: i64) -> String {
    format!("Message-ID: <m{number}@x>\r\nFrom: bob@example.net\r\nSubject: number {number}\r\n\r\ntext\r\n")
}

/// An endpoint with TLS from the first octet.
pub fn endpoint(host: &str, port: u16) -> Endpoint {
    Endpoint { host: host.to_owned(), port, security: Security::Tls }
}

/// `acc_{user}-{label}` on `imap.example.com` and `smtp.example.com`.
pub fn account(user: &UserId, label: &str) -> Account {
    let name = user.as_str().trim_start_matches(UserId::PREFIX);
    Account {
        id: account_id(&format!("{name}-{label}")),
        user: user.clone(),
        label: label.to_owned(),
        email: EmailAddress::stored(format!("{name}.{label}@example.com")),
        from_name: None,
        is_default: false,
        backend: Backend::Servers {
            imap: endpoint("imap.example.com", 993),
            smtp: endpoint("smtp.example.com", 465),
        },
        imap_username: name.to_owned(),
        smtp_username: name.to_owned(),
        auth: AuthKind::Password,
        credential: Sealed(vec![1, 2, 3]),
        credential_version: 1,
        reading: Health::Untried,
        sending: Health::Untried,
        send_policy: SendPolicy::Immediate,
        signature: None,
        aliases: Vec::new(),
        created_at: NOON,
    }
}

/// A registered client `cli_{name}` that redirects to `http://127.0.0.1/{name}`.
pub fn client(name: &str) -> Client {
    Client {
        id: format!("cli_{name}").parse().unwrap(),
        kind: ClientKind::Registered,
        name: name.to_owned(),
        redirect_uris: vec![format!("http://127.0.0.1/{name}")],
        created_at: NOON,
        used_at: None,
    }
}

/// `grt_{name}`: everything but permanent deletion, all accounts, for ever.
pub fn grant(name: &str, user: &UserId, client: &ClientId) -> Grant {
    Grant {
        id: grant_id(name),
        user: user.clone(),
        client: client.clone(),
        client_name: format!("client of {name}"),
        permissions: Permissions::legacy(),
        accounts: AccountScope::All,
        send_policy: SendPolicy::Immediate,
        resource: RESOURCE.to_owned(),
        created_at: NOON,
        expires_at: None,
        revoked_at: None,
        used_at: None,
    }
}

/// A code for `grant`, known by `TokenHash::of(name)`; it lapses after a minute.
pub fn code(name: &str, grant: &Grant) -> AuthorizationCode {
    AuthorizationCode {
        hash: TokenHash::of(name),
        grant: grant.id.clone(),
        client: grant.client.clone(),
        redirect_uri: "http://127.0.0.1/callback".to_owned(),
        code_challenge: "challenge".to_owned(),
        resource: grant.resource.clone(),
        offline: true,
        expires_at: NOON.plus_seconds(60),
        consumed_at: None,
    }
}

/// Access `TokenHash::of("{name}-access")` for an hour and refresh `TokenHash::of("{name}-refresh")` for 30 days.
pub fn issue(name: &str, now: Timestamp) -> Issue {
    Issue {
        access_id: token_id(&format!("{name}-access")),
        access: TokenHash::of(&format!("{name}-access")),
        access_expires_at: now.plus_seconds(3600),
        refresh: Some((token_id(&format!("{name}-refresh")), TokenHash::of(&format!("{name}-refresh")))),
        refresh_expires_at: now.plus_seconds(30 * 24 * 3600),
    }
}

/// A personal token of `grant`, known by `TokenHash::of(name)`, for ever.
pub fn personal_token(name: &str, grant: &Grant) -> Token {
    Token {
        id: token_id(name),
        hash: TokenHash::of(name),
        kind: TokenKind::Personal,
        grant: grant.id.clone(),
        expires_at: None,
        created_at: NOON,
        used_at: None,
    }
}

/// A session with the cookie digest `TokenHash::of(name)`; it ends after a day.
pub fn session(name: &str, user: Option<&UserId>) -> BrowserSession {
    BrowserSession {
        hash: TokenHash::of(name),
        user: user.cloned(),
        csrf: format!("csrf-{name}"),
        created_at: NOON,
        authenticated_at: user.map(|_| NOON),
        expires_at: NOON.plus_seconds(24 * 3600),
        used_at: NOON,
        origin: Origin::default(),
        browser: TokenHash::of(&format!("{name}-browser")),
    }
}

/// `out_{name}` to one recipient, queued, its content digest `TokenHash::of(name)`.
pub fn outbox_entry(name: &str, account: &Account, grant: &Grant) -> OutboxEntry {
    OutboxEntry {
        id: outbox_id(name),
        user: account.user.clone(),
        account: account.id.clone(),
        grant: grant.id.clone(),
        state: OutboxState::Queued,
        message_id: format!("{name}@example.com"),
        subject: Some(Sealed(vec![7, 8, 9])),
        sender: account.email.to_string(),
        recipients: vec!["someone@example.org".to_owned()],
        idempotency: None,
        content: TokenHash::of(name),
        refusals: Vec::new(),
        departed: false,
        at_risk: false,
        saved_to_sent: None,
        hold: None,
        not_before: None,
        next_attempt_at: Some(NOON),
        expires_at: NOON.plus_seconds(24 * 3600),
        attempts: 0,
        looks: 0,
        last_error: None,
        lease: None,
        fence: 0,
        created_at: NOON,
        updated_at: NOON,
    }
}

/// `op_{name}`, planned, for a day.
pub fn operation(name: &str, account: &Account) -> Operation {
    Operation {
        id: format!("op_{name}").parse().unwrap(),
        user: account.user.clone(),
        account: account.id.clone(),
        kind: "delete".to_owned(),
        state: OperationState::Planned,
        detail: "{}".to_owned(),
        created_at: NOON,
        expires_at: NOON.plus_seconds(24 * 3600),
    }
}
