//! Opens an account, searches all its folders, archives what is found and takes that back: no MCP, no HTTP.
//! Run with `cargo run -p imapmcp-organizing --example archive`; the account is the demonstration's.
#![expect(clippy::print_stdout, reason = "a program for people")]

use imapmcp_accounts::{Accounts, AccountsDeps, NewAccount};
use imapmcp_core::{
    account::{AuthKind, Backend},
    id::UserId,
    store::UserRepository,
    time::{Clock, SystemClock},
    user::User,
};
use imapmcp_mail::memory::MemoryMail;
use imapmcp_organizing::{
    InFolder, Journal, Opened, OperationKind, Organizer, query,
    search::{Places, Scope, Search, Start, messages},
};
use imapmcp_storage::Database;
use imapmcp_vault::{KeyRing, RingVault, SystemEntropy};
use std::{error::Error, sync::Arc};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // What an embedder has: a database, a key ring, a user, and mail servers (`imapmcp_mail::Mail` for real ones).
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let database = Arc::new(Database::open(&"sqlite::memory:".parse()?).await?);
    database.migrate().await?;
    let ring = KeyRing::generate(&*entropy);
    let vault = RingVault::open(&ring, &[ring.first_record(clock.now())], entropy.clone())?;
    let mail = Arc::new(MemoryMail::new(clock.clone()));
    let user = user(&*clock)?;
    database.add_user(&user).await?;
    let accounts = Accounts::new(AccountsDeps {
        repository: database.clone(),
        correspondents: database.clone(),
        vault: Arc::new(vault),
        mail: mail.clone(),
        submission: mail,
        clock: clock.clone(),
        entropy: entropy.clone(),
    });
    let account = accounts.add(&user.id, demo()).await?;

    // Open, and search everywhere.
    let opened = Opened::open(&accounts, &user.id, &account.id).await?;
    let places = Places::of(vec![opened.clone()], &Scope::Everywhere, true).await?.list;
    let query = query::parse("is:unread has:attachment", clock.now()).map_err(|error| error.to_string())?;
    let starts = vec![Start::Here(None); places.len()];
    let search = Search { places: &places, query: &query, starts: &starts, limit: 50 };
    let hits = search.run(&|_, _| ()).await?.newest(50);
    println!("{} messages in {} folders", hits.len(), places.len());

    // Archive what was found, and take it back.
    let journal = Journal::new(database, tokio::runtime::Handle::current());
    let organizer = Organizer::new(journal, clock, entropy);
    for (opened, named) in messages(&hits, &places) {
        let (archive, changed) = organizer.archive(&opened, &named).await?;
        for folder in &changed.folders {
            match folder {
                InFolder::Done { folder, transfer } => {
                    println!("{folder} -> {archive}: {}", transfer.outcome.done.len());
                }
                InFolder::Failed { messages, error } => println!("{}: {error}", messages.folder),
            }
        }
        let Some(id) = changed.operation else { continue };
        let change = organizer.find(&user.id, |_| true, OperationKind::Change, id.as_str()).await?;
        println!("taken back: {}", organizer.undo(&opened, &change).await?.messages);
    }
    Ok(())
}

fn user(clock: &dyn Clock) -> Result<User, Box<dyn Error>> {
    let id: UserId = "usr_example".parse()?;
    let email = "marie@example.com".to_owned();
    Ok(User { id, email, is_admin: false, password_hash: None, disabled_at: None, created_at: clock.now() })
}

fn demo() -> NewAccount {
    NewAccount {
        label: "Demo".to_owned(),
        email: "marie@example.com".to_owned(),
        from_name: None,
        backend: Backend::Demo,
        imap_username: "marie@example.com".to_owned(),
        smtp_username: "marie@example.com".to_owned(),
        auth: AuthKind::Password,
        password: "none".into(),
        is_default: true,
    }
}
