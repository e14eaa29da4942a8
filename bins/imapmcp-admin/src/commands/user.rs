use crate::{
    context,
    failure::{Failure, Kind},
    report::{Report, table},
    secret,
};
use clap::Subcommand;
use imapmcp_bootstrap::Settings;
use imapmcp_core::{
    address::EmailAddress, id::UserId, secret::ExposeSecret as _, store::UserRepository as _,
    user::User as Person,
};
use imapmcp_oauth_server::{
    AuthorizationServer, PasswordOffer,
    password::{Asker, Passwords, check_new},
};
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc};

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a person
    #[command(after_help = "Example:\n  imapmcp-admin user add marie@example.com --admin\n  \
        imapmcp-admin user add marie@example.com --password-file - < password.txt")]
    Add {
        /// Sign-in name
        email: String,
        /// May look after other users
        #[arg(long)]
        admin: bool,
        /// File with the password, or - for standard input [default: ask]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Make a link by which somebody becomes a user; needs IMAPMCP_SIGN_UP=invite or open
    #[command(after_help = "Example:\n  imapmcp-admin user invite marie@example.com")]
    Invite {
        /// Their sign-in name
        email: String,
        /// May look after other users
        #[arg(long)]
        admin: bool,
    },
    /// Make a link by which somebody chooses a new password
    #[command(after_help = "Example:\n  imapmcp-admin user reset marie@example.com")]
    Reset {
        /// Whose
        email: String,
    },
    /// Keep somebody out until they are enabled: sessions end, tokens are dead
    #[command(after_help = "Example:\n  imapmcp-admin user disable marie@example.com")]
    Disable {
        /// Whom
        email: String,
    },
    /// Let somebody in again
    #[command(after_help = "Example:\n  imapmcp-admin user enable marie@example.com")]
    Enable {
        /// Whom
        email: String,
    },
    /// Remove somebody with their accounts, connections and everything sealed for them
    #[command(after_help = "Example:\n  imapmcp-admin user remove marie@example.com")]
    Remove {
        /// Whom
        email: String,
    },
    /// List everybody
    #[command(after_help = "Example:\n  imapmcp-admin user list --json")]
    List,
}

impl User {
    pub(crate) async fn run(self, settings: Settings) -> Result<Report, Failure> {
        match self {
            Self::Add { email, admin, password_file } => add(settings, email, admin, password_file).await,
            Self::Invite { email, admin } => {
                let services = context::services(settings).await?;
                Ok(offered(&email, &services.authorization.invite(&email, admin).await?))
            }
            Self::Reset { email } => {
                let (server, person) = found(settings, &email).await?;
                Ok(offered(&person.email, &server.offer_reset(&person.id).await?))
            }
            Self::Disable { email } => {
                let (server, person) = found(settings, &email).await?;
                server.disable(&person.id).await?;
                Ok(done(&person, "disabled"))
            }
            Self::Enable { email } => {
                let (server, person) = found(settings, &email).await?;
                server.enable(&person.id).await?;
                Ok(done(&person, "enabled"))
            }
            Self::Remove { email } => {
                let (server, person) = found(settings, &email).await?;
                server.remove(&person.id).await?;
                Ok(done(&person, "removed"))
            }
            Self::List => {
                let people = context::database(&settings).await?.list_users().await?;
                let rows: Vec<_> = people
                    .iter()
                    .map(|person| {
                        let role = if person.is_admin { "admin" } else { "user" };
                        let state = if person.disabled_at.is_some() { "disabled" } else { "active" };
                        let since = person.created_at.to_rfc3339();
                        vec![person.email.clone(), role.to_owned(), state.to_owned(), since]
                    })
                    .collect();
                let list: Vec<_> = people.iter().map(shown).collect();
                let text = table(&["E-MAIL", "ROLE", "STATE", "SINCE"], &rows, "No user yet.");
                Ok(Report::new(json!({ "users": list }), text))
            }
        }
    }
}

async fn add(
    settings: Settings,
    email: String,
    admin: bool,
    password_file: Option<PathBuf>,
) -> Result<Report, Failure> {
    if !EmailAddress::is(&email) {
        return Err(Failure::new(Kind::Usage, format!("`{email}` is not an e-mail address")));
    }
    let services = context::services(settings).await?;
    // Before anybody has to think of a password.
    if services.database.find_user_by_email(&email).await?.is_some() {
        return Err(Failure::new(Kind::Conflict, format!("there is a user {email} already")));
    }
    let password = secret::read(password_file.as_deref(), &format!("New password of {email}"), true)?;
    check_new(&password, &[&email, services.settings.oauth.host()])?;
    let entropy = Arc::clone(&services.entropy);
    let hash = Passwords::default().hash(password, Asker::Known, entropy).await?;
    let person = Person {
        id: UserId::random(&*services.entropy),
        email,
        is_admin: admin,
        password_hash: Some(hash),
        disabled_at: None,
        created_at: services.clock.now(),
    };
    services.database.add_user(&person).await?;
    Ok(Report::new(shown(&person), format!("Added {}.", person.email)))
}

async fn found(settings: Settings, email: &str) -> Result<(Arc<AuthorizationServer>, Person), Failure> {
    let server = context::services(settings).await?.authorization;
    let person = server.person(email).await?;
    Ok((server, person))
}

fn done(person: &Person, what: &str) -> Report {
    let value = json!({ "id": person.id.as_str(), "email": person.email, "done": what });
    Report::new(value, format!("{} is {what}.", person.email))
}

fn offered(email: &str, offer: &PasswordOffer) -> Report {
    let (link, until) = (offer.link.expose_secret(), offer.expires_at.to_rfc3339());
    let value = json!({ "email": email, "link": link, "expires_at": until });
    Report::new(value, format!("Give this link to {email}; it works once, until {until}:\n  {link}"))
}

fn shown(person: &Person) -> Value {
    json!({
        "id": person.id.as_str(),
        "email": person.email,
        "is_admin": person.is_admin,
        "has_password": person.password_hash.is_some(),
        "disabled": person.disabled_at.is_some(),
        "created_at": person.created_at.to_rfc3339(),
    })
}
