pub(crate) mod account;
pub(crate) mod doctor;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod token;
pub(crate) mod user;

use crate::{
    arguments::{Arguments, Command},
    context,
    failure::{Failure, Kind},
    report::Report,
};

pub(crate) async fn run(arguments: Arguments) -> Result<Report, Failure> {
    let settings = context::settings(&arguments);
    // Wrong settings are what the doctor is called for.
    if let Command::Doctor(_) = arguments.command {
        return Ok(doctor::run(settings).await);
    }
    let settings = settings.map_err(|error| Failure::new(Kind::Config, error))?;
    match arguments.command {
        Command::Migrate(migrate) => migrate.run(&settings).await,
        Command::User(user) => user.run(settings).await,
        Command::Account(account) => account.run(settings).await,
        Command::Token(token) => token.run(settings).await,
        Command::Keys(keys) => keys.run(&settings).await,
        Command::Doctor(_) => unreachable!("answered above"),
    }
}
