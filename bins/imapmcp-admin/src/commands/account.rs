use crate::{
    context,
    failure::{Failure, Kind},
    report::{Report, table},
    secret,
};
use clap::{Args, Subcommand};
use imapmcp_accounts::{
    Diagnosis, NewAccount, Step,
    server_url::{self, Server},
};
use imapmcp_bootstrap::{Services, Settings};
use imapmcp_core::{
    account::{Account as Stored, AuthKind, Backend, Endpoint, Security},
    id::UserId,
    secret::SecretString,
    sender::{MAX_ALIASES, Sender},
    store::{AccountRepository as _, UserRepository as _},
};
use imapmcp_storage::Database;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    Add(Add),
    /// List accounts, of one user or of everybody
    #[command(after_help = "Example:\n  imapmcp-admin account list --user marie@example.com")]
    List {
        /// Whose
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    Set(Set),
    /// Log in to both servers of an account and say what they answer
    #[command(after_help = "Example:\n  imapmcp-admin account test --user marie@example.com Work")]
    Test(Which),
    /// Remove an account with everything that belongs to it
    #[command(after_help = "Example:\n  imapmcp-admin account remove --user marie@example.com Work")]
    Remove(Which),
}

/// Add a mail account
#[derive(Debug, Args)]
#[command(
    after_help = "Server URLs: imaps://user@host:993, imap+starttls://…, smtps://…, smtp+starttls://…; the user \
name is\npercent-encoded (marie%40example.com). demo: is a mailbox in memory and needs no --smtp.\n\n\
Example:\n  imapmcp-admin account add --user marie@example.com --email marie@example.com --label Work \\\n    \
--imap imaps://marie%40example.com@imap.example.com --smtp smtp+starttls://smtp.example.com"
)]
pub(crate) struct Add {
    /// Whose
    #[arg(long, value_name = "EMAIL")]
    user: String,
    /// The address mail is sent from
    #[arg(long, value_name = "EMAIL")]
    email: String,
    /// The user's own name for it [default: the address]
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
    /// The name mail is sent with
    #[arg(long, value_name = "NAME")]
    from_name: Option<String>,
    /// A further address mail is sent from, perhaps with a name; repeat it for several
    #[arg(long, value_name = "ADDRESS")]
    alias: Vec<Sender>,
    /// Where mail is read
    #[arg(long, value_name = "URL")]
    imap: String,
    /// Where mail is submitted
    #[arg(long, value_name = "URL")]
    smtp: Option<String>,
    /// File with the password, or - for standard input [default: ask]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Make it the account to use when none is named
    #[arg(long)]
    default: bool,
}

/// Change a mail account
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  imapmcp-admin account set --user marie@example.com Work --alias 'Team <team@example.com>'"
)]
pub(crate) struct Set {
    #[command(flatten)]
    which: Which,
    /// A further address mail is sent from; repeat it for several. They take the place of those there are
    #[arg(long, value_name = "ADDRESS", required_unless_present = "no_alias")]
    alias: Vec<Sender>,
    /// No further address
    #[arg(long, conflicts_with = "alias")]
    no_alias: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Whose
    #[arg(long, value_name = "EMAIL")]
    user: String,
    /// The account's label or identifier
    account: String,
}

impl Account {
    pub(crate) async fn run(self, settings: Settings) -> Result<Report, Failure> {
        match self {
            Self::Add(add) => add.run(settings).await,
            Self::List { user } => list(&settings, user.as_deref()).await,
            Self::Set(set) => {
                let (services, account) = set.which.open(settings).await?;
                services.accounts.set_aliases(&account.user, &account.id, set.alias).await?;
                let account = services.accounts.get(&account.user, &account.id).await?;
                let text = format!("Changed {} ({}).", account.label, account.email);
                Ok(Report::new(shown(&account, &set.which.user), text))
            }
            Self::Test(which) => {
                let (services, account) = which.open(settings).await?;
                let diagnosis = services.accounts.test(&account.user, &account.id).await?;
                Ok(tested(&account, &diagnosis))
            }
            Self::Remove(which) => {
                let (services, account) = which.open(settings).await?;
                services.accounts.remove(&account.user, &account.id).await?;
                let text = format!("Removed {} ({}).", account.label, account.email);
                Ok(Report::new(json!({ "removed": account.id.as_str() }), text))
            }
        }
    }
}

impl Which {
    async fn open(&self, settings: Settings) -> Result<(Services, Stored), Failure> {
        let services = context::services(settings).await?;
        let user = context::user(&services.database, &self.user).await?;
        let account = find(&services.database, &user.id, &self.account).await?;
        Ok((services, account))
    }
}

/// By label or identifier.
pub(crate) async fn find(database: &Database, user: &UserId, name: &str) -> Result<Stored, Failure> {
    let accounts = database.list_accounts(user).await?;
    accounts.into_iter().find(|account| account.label == name || account.id.as_str() == name).ok_or_else(
        || {
            Failure::new(
                Kind::NotFound,
                format!("the user has no account `{name}`; see: imapmcp-admin account list"),
            )
        },
    )
}

impl Add {
    async fn run(self, settings: Settings) -> Result<Report, Failure> {
        let (backend, imap_username, smtp_username) = self.servers(settings.allow_insecure)?;
        if self.alias.len() > MAX_ALIASES {
            return Err(Failure::new(Kind::Usage, format!("--alias: at most {MAX_ALIASES}")));
        }
        let services = context::services(settings).await?;
        let user = context::user(&services.database, &self.user).await?;
        let password = match (&backend, &self.password_file) {
            (Backend::Demo, None) => SecretString::from(""),
            (_, file) => secret::read(file.as_deref(), &format!("Password of {}", self.email), false)?,
        };
        let new = NewAccount {
            label: self.label,
            email: self.email,
            from_name: self.from_name,
            backend,
            imap_username,
            smtp_username,
            auth: AuthKind::Password,
            password,
            is_default: self.default,
        };
        let added = services.accounts.add(&user.id, new).await?;
        services.accounts.set_aliases(&user.id, &added.id, self.alias).await?;
        // The repository decides about the default.
        let added = services.accounts.get(&user.id, &added.id).await?;
        Ok(Report::new(shown(&added, &user.email), format!("Added {} ({}).", added.label, added.email)))
    }

    /// Backend, and the login names at the IMAP and the submission server.
    fn servers(&self, allow_insecure: bool) -> Result<(Backend, String, String), Failure> {
        let usage = |message: String| Failure::new(Kind::Usage, message);
        let Some((imap, imap_user)) = remote("--imap", &self.imap, "imap")? else {
            if self.smtp.is_some() {
                return Err(usage("--smtp does not go with --imap demo:".to_owned()));
            }
            return Ok((Backend::Demo, self.email.clone(), self.email.clone()));
        };
        let url = self.smtp.as_deref().ok_or_else(|| {
            usage("--smtp is missing: where mail is submitted, such as smtps://smtp.example.com".to_owned())
        })?;
        let (smtp, smtp_user) = remote("--smtp", url, "smtp")?
            .ok_or_else(|| usage("--smtp demo: is implied by --imap demo:".to_owned()))?;
        if !allow_insecure && [&imap, &smtp].iter().any(|server| server.security == Security::Insecure) {
            return Err(Failure::new(
                Kind::Config,
                "accounts without TLS need IMAPMCP_ALLOW_INSECURE=1 (and the host in IMAPMCP_EGRESS_ALLOW)",
            ));
        }
        let imap_user = imap_user.unwrap_or_else(|| self.email.clone());
        let smtp_user = smtp_user.unwrap_or_else(|| imap_user.clone());
        Ok((Backend::Servers { imap, smtp }, imap_user, smtp_user))
    }
}

/// A server URL of the right protocol; `None` for `demo:`.
fn remote(option: &str, url: &str, protocol: &str) -> Result<Option<(Endpoint, Option<String>)>, Failure> {
    match server_url::parse(url).map_err(|error| Failure::new(Kind::Usage, format!("{option}: {error}")))? {
        Server::Demo => Ok(None),
        Server::Remote { endpoint, username } if url.to_ascii_lowercase().starts_with(protocol) => {
            Ok(Some((endpoint, username)))
        }
        Server::Remote { .. } => {
            Err(Failure::new(Kind::Usage, format!("{option}: the URL must start with {protocol}")))
        }
    }
}

async fn list(settings: &Settings, email: Option<&str>) -> Result<Report, Failure> {
    let database = context::database(settings).await?;
    let people = match email {
        Some(email) => vec![context::user(&database, email).await?],
        None => database.list_users().await?,
    };
    let (mut rows, mut list) = (Vec::new(), Vec::new());
    for person in people {
        for account in database.list_accounts(&person.id).await? {
            rows.push(vec![
                person.email.clone(),
                account.label.clone(),
                account.email.to_string(),
                place(&account),
                account.reading.word().to_owned(),
                account.sending.word().to_owned(),
            ]);
            list.push(shown(&account, &person.email));
        }
    }
    let text = table(&["USER", "LABEL", "E-MAIL", "SERVERS", "READING", "SENDING"], &rows, "No account yet.");
    Ok(Report::new(json!({ "accounts": list }), text))
}

fn url(protocol: &str, endpoint: &Endpoint) -> String {
    let scheme = match endpoint.security {
        Security::Tls => format!("{protocol}s"),
        Security::StartTls => format!("{protocol}+starttls"),
        Security::Insecure => format!("{protocol}+insecure"),
    };
    format!("{scheme}://{}:{}", endpoint.host, endpoint.port)
}

fn place(account: &Stored) -> String {
    match &account.backend {
        Backend::Demo => "demo:".to_owned(),
        Backend::Servers { imap, smtp } => format!("{} {}", url("imap", imap), url("smtp", smtp)),
    }
}

fn shown(account: &Stored, user: &str) -> Value {
    let (imap, smtp) = match &account.backend {
        Backend::Demo => ("demo:".to_owned(), None),
        Backend::Servers { imap, smtp } => (url("imap", imap), Some(url("smtp", smtp))),
    };
    json!({
        "id": account.id.as_str(),
        "user": user,
        "label": account.label,
        "email": &*account.email,
        "aliases": account.aliases.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "is_default": account.is_default,
        "imap": imap,
        "imap_username": account.imap_username,
        "smtp": smtp,
        "smtp_username": account.smtp_username,
        "reading": account.reading.word(),
        "sending": account.sending.word(),
        "why": account.troubles().map(|(side, why)| (side.word().to_owned(), why.code().into())).collect::<Map<_, _>>(),
        "created_at": account.created_at.to_rfc3339(),
    })
}

fn tested(account: &Stored, diagnosis: &Diagnosis) -> Report {
    let exit = if diagnosis.works() {
        0
    } else if diagnosis.steps().into_iter().any(Step::login_refused) {
        Kind::LoginRefused.exit_code()
    } else {
        Kind::Unreachable.exit_code()
    };
    let json = json!({
        "id": account.id.as_str(),
        "works": diagnosis.works(),
        "imap": step(&diagnosis.imap),
        "smtp": step(&diagnosis.smtp),
    });
    let line = |name: &str, step: &Step| {
        let answer = step.outcome.as_ref().map_or_else(ToString::to_string, |()| "works".to_owned());
        format!("{name}  {answer} ({} ms)\n", step.took.as_millis())
    };
    let text = line("IMAP", &diagnosis.imap) + &line("SMTP", &diagnosis.smtp);
    Report::new(json, text).with_exit(exit)
}

fn step(step: &Step) -> Value {
    let milliseconds = u64::try_from(step.took.as_millis()).unwrap_or(u64::MAX);
    match &step.outcome {
        Ok(()) => json!({ "ok": true, "milliseconds": milliseconds }),
        Err(error) => {
            let error = json!({ "code": error.code(), "message": error.to_string() });
            json!({ "ok": false, "milliseconds": milliseconds, "error": error })
        }
    }
}
