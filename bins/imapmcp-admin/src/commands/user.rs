use crate::{
    context,
    failure::{Failure, Kind},
    report::{Report, table},
    secret,
};
use clap::Subcommand;
use imapmcp_bootstrap::Settings;
use imapmcp_core::{address::EmailAddress, id::UserId, store::UserRepository as _, user::User as Person};
use imapmcp_oauth_server::password::{Passwords, check_new};
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
    /// List everybody
    #[command(after_help = "Example:\n  imapmcp-admin user list --json")]
    List,
}

impl User {
    pub(crate) async fn run(self, settings: Settings) -> Result<Report, Failure> {
        match self {
            Self::Add { email, admin, password_file } => {
                if !EmailAddress::is(&email) {
                    return Err(Failure::new(Kind::Usage, format!("`{email}` is not an e-mail address")));
                }
                let services = context::services(settings).await?;
                // Before anybody has to think of a password.
                if services.database.find_user_by_email(&email).await?.is_some() {
                    return Err(Failure::new(Kind::Conflict, format!("there is a user {email} already")));
                }
                let password =
                    secret::read(password_file.as_deref(), &format!("New password of {email}"), true)?;
                check_new(&password, &[&email, services.settings.oauth.host()])?;
                let hash = Passwords::default().hash(password, Arc::clone(&services.entropy)).await?;
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
