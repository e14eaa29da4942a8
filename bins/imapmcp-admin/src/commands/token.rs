use crate::{
    commands::account,
    context,
    failure::{Failure, Kind},
    report::{Report, table},
};
use clap::{Args, Subcommand};
use imapmcp_bootstrap::Settings;
use imapmcp_core::{
    oauth::{AccountScope, SendPolicy},
    permission::{Permission, Permissions},
    secret::ExposeSecret as _,
    store::{PersonalTokenRepository as _, TokenRow, UserRepository as _},
    time::{Clock as _, SystemClock, Timestamp},
};
use imapmcp_oauth_server::NewPersonalToken;
use serde_json::{Value, json};
use std::collections::HashMap;

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    Issue(Issue),
    /// List live tokens, of one user or of everybody (never the tokens themselves)
    #[command(after_help = "Example:\n  imapmcp-admin token list --user marie@example.com")]
    List {
        /// Whose
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// End a token; it is refused from the next request on
    #[command(after_help = "Example:\n  imapmcp-admin token revoke tok_x4Yb2kfQm0aJ7v1Z")]
    Revoke {
        /// The identifier that `token list` shows
        id: String,
    },
}

/// Make a personal access token; it is shown once
#[derive(Debug, Args)]
#[command(after_help = "Permissions: mail.read, mail.organize, mail.draft, mail.send, mail.delete.\n\n\
Example:\n  imapmcp-admin token issue --user marie@example.com --scope mail.read --account Work --expires 30d")]
pub(crate) struct Issue {
    /// Whose
    #[arg(long, value_name = "EMAIL")]
    user: String,
    /// What it may do; several, or one list separated by spaces [default: all but mail.delete]
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Label or identifier of an account it may use; several [default: all, also later ones]
    #[arg(long, value_name = "LABEL")]
    account: Vec<String>,
    /// How long it lives: a number with m, h, d or w, or never
    #[arg(long, default_value = "never", value_name = "TIME")]
    expires: String,
    /// What it is for, in the user's words
    #[arg(long, default_value = "imapmcp-admin")]
    name: String,
}

impl Token {
    pub(crate) async fn run(self, settings: Settings) -> Result<Report, Failure> {
        match self {
            Self::Issue(issue) => issue.run(settings).await,
            Self::List { user } => list(&settings, user.as_deref()).await,
            Self::Revoke { id } => {
                let unknown =
                    || Failure::new(Kind::NotFound, "there is no such token; see: imapmcp-admin token list");
                let database = context::database(&settings).await?;
                let id = id.parse().map_err(|_| unknown())?;
                if !database.revoke_personal_token(&id, SystemClock.now()).await? {
                    return Err(unknown());
                }
                Ok(Report::new(json!({ "revoked": id.as_str() }), format!("Revoked {id}.")))
            }
        }
    }
}

impl Issue {
    async fn run(self, settings: Settings) -> Result<Report, Failure> {
        let permissions = permissions(&self.scope)?;
        let lifetime = lifetime(&self.expires)?;
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
            return Err(Failure::new(Kind::Usage, "--name must be 1 to 80 characters, no control character"));
        }
        let services = context::services(settings).await?;
        let user = context::user(&services.database, &self.user).await?;
        let mut covered = Vec::new();
        for name in &self.account {
            covered.push(account::find(&services.database, &user.id, name).await?.id);
        }
        let accounts = if covered.is_empty() {
            AccountScope::All
        } else {
            AccountScope::alike(covered, permissions, SendPolicy::Immediate)
        };
        let expires_at = lifetime.map(|seconds| services.clock.now().plus_seconds(seconds));
        let new = NewPersonalToken {
            user: user.id,
            name: name.to_owned(),
            permissions,
            accounts: accounts.clone(),
            send_policy: SendPolicy::Immediate,
            expires_at,
        };
        let issued = services.authorization.issue_personal_token(new).await?;
        let json = json!({
            "token": issued.secret.expose_secret(),
            "id": issued.id.as_str(),
            "user": user.email,
            "name": name,
            "scope": permissions.to_string(),
            "accounts": covers(&accounts),
            "expires_at": expires_at.map(Timestamp::to_rfc3339),
            "url": services.settings.oauth.resources.first(),
        });
        let text = format!(
            "{}\n\nThis is {}. It is shown this once; give it to a client as\nAuthorization: Bearer TOKEN",
            issued.secret.expose_secret(),
            issued.id
        );
        Ok(Report::new(json, text))
    }
}

fn permissions(scopes: &[String]) -> Result<Permissions, Failure> {
    let known = |word: &str| word == "mcp" || Permission::ALL.iter().any(|known| known.scope() == word);
    let words: Vec<&str> =
        scopes.iter().flat_map(|scope| scope.split([' ', ','])).filter(|word| !word.is_empty()).collect();
    if let Some(unknown) = words.iter().find(|word| !known(word)) {
        let all: Vec<_> = Permission::ALL.iter().map(|permission| permission.scope()).collect();
        let message = format!("unknown permission `{unknown}`; known are {}", all.join(", "));
        return Err(Failure::new(Kind::Usage, message));
    }
    Ok(if words.is_empty() { Permissions::legacy() } else { Permissions::from_scope(&words.join(" ")) })
}

/// Seconds; `None` for `never`.
fn lifetime(text: &str) -> Result<Option<i64>, Failure> {
    if text == "never" {
        return Ok(None);
    }
    let seconds = text.char_indices().last().and_then(|(end, unit)| {
        let number: i64 = text[..end].parse().ok()?;
        let unit = match unit {
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        number.checked_mul(unit).filter(|seconds| (60..=3_650 * 86_400).contains(seconds))
    });
    seconds.map(Some).ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            format!("--expires `{text}`: must look like 90m, 12h, 30d, 8w (at most ten years) or never"),
        )
    })
}

async fn list(settings: &Settings, email: Option<&str>) -> Result<Report, Failure> {
    let database = context::database(settings).await?;
    let owner = match email {
        Some(email) => Some(context::user(&database, email).await?.id),
        None => None,
    };
    let tokens = database.list_personal_tokens(owner.as_ref(), SystemClock.now()).await?;
    let people: HashMap<_, _> =
        database.list_users().await?.into_iter().map(|user| (user.id, user.email)).collect();
    let user_of = |row: &TokenRow| people.get(&row.grant.user).cloned().unwrap_or_default();
    let date = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), Timestamp::to_rfc3339);
    let rows: Vec<_> = tokens
        .iter()
        .map(|row| {
            let TokenRow { token, grant } = row;
            let scope = grant.permissions.to_string();
            let name = grant.client_name.clone();
            vec![token.id.to_string(), user_of(row), name, scope, date(token.expires_at), date(token.used_at)]
        })
        .collect();
    let list: Vec<Value> = tokens
        .iter()
        .map(|row| {
            let TokenRow { token, grant } = row;
            json!({
                "id": token.id.as_str(),
                "user": user_of(row),
                "name": grant.client_name,
                "scope": grant.permissions.to_string(),
                "accounts": covers(&grant.accounts),
                "created_at": token.created_at.to_rfc3339(),
                "expires_at": token.expires_at.map(Timestamp::to_rfc3339),
                "used_at": token.used_at.map(Timestamp::to_rfc3339),
            })
        })
        .collect();
    let text = table(&["ID", "USER", "NAME", "SCOPE", "EXPIRES", "LAST USED"], &rows, "No token.");
    Ok(Report::new(json!({ "tokens": list }), text))
}

/// Identifiers; `null` is every account.
fn covers(accounts: &AccountScope) -> Value {
    match accounts {
        AccountScope::All => Value::Null,
        AccountScope::Some(list) => list.iter().map(|one| json!(one.account.as_str())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_number_with_a_unit() {
        assert_eq!(lifetime("30d").unwrap(), Some(2_592_000));
        assert_eq!(lifetime("1m").unwrap(), Some(60));
        assert_eq!(lifetime("never").unwrap(), None);
        for bad in ["", "30", "d", "-1d", "0h", "30s", "1.5d", "99999999999999999999w", "4000d", "3ü"] {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn scopes_are_known_words() {
        let of = |words: &[&str]| permissions(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]).unwrap(), Permissions::legacy());
        assert_eq!(of(&["mail.read mail.draft"]).unwrap().to_string(), "mail.read mail.draft");
        assert_eq!(
            of(&["mail.read", "mail.delete"]).unwrap().to_string(),
            "mail.read mail.organize mail.delete"
        );
        assert!(of(&["mail.reed"]).unwrap_err().message.contains("`mail.reed`"));
    }
}
