//! Opens an account, searches all its folders, archives what is found and takes that back: no MCP, no HTTP.
//! Run with `cargo run -p imapmcp-organizing --example archive`; the account is the demonstration's.
#![expect(clippy::print_stdout, reason = "a program for people")]

use imapmcp_accounts::{Accounts, AccountsDeps, NewAccount};
use imapmcp_core::{
    account::Backend,
    store::UserRepository,
    time::{Clock, SystemClock},
    user::User,
};
use imapmcp_mail::memory::MemoryMail;
use imapmcp_organizing::{InFolder, Journal, Opened, OperationKind, Organizer, query, search};
use imapmcp_storage::Database;
use imapmcp_vault::{KeyRing, RingVault, SystemEntropy};
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What an embedder has: a database, a key ring, a user, and mail servers (`imapmcp_mail::Mail` for real ones).
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let database = Arc::new(Database::open(&"sqlite::memory:".parse()?).await?);
    database.migrate().await?;
    let ring = KeyRing::generate(&*entropy);
    let vault = Arc::new(RingVault::open(&ring, &[ring.first_record(clock.now())], entropy.clone())?);
    let mail = Arc::new(MemoryMail::new(clock.clone()));
    let user = User::new("usr_example".parse()?, "marie@example.com", clock.now());
    database.add_user(&user).await?;
    let accounts = Accounts::new(AccountsDeps::of(&database, &mail, vault, clock.clone(), entropy.clone()));
    let new = NewAccount::new("marie@example.com", Backend::Demo, "none".into());
    let account = accounts.add(&user.id, new).await?;

    // Open it, search all its folders, archive what is found, and take that back.
    let opened = Opened::open(&accounts, &user.id, &account.id).await?;
    let query = query::parse("is:unread has:attachment", clock.now()).map_err(|error| error.to_string())?;
    let organizer = Organizer::new(Journal::new(database, tokio::runtime::Handle::current()), clock, entropy);
    for (opened, messages) in search::everywhere(opened, &query, 50).await? {
        let (archive, changed) = organizer.archive(&opened, &messages).await?;
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
