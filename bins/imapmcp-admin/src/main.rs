//! imapmcp-admin: works on the database directly, with the server's settings.

mod arguments;
mod commands;
mod context;
mod failure;
mod report;
mod secret;

use arguments::{Arguments, Command};
use clap::Parser as _;
use commands::doctor;
use failure::{Failure, Kind};
use report::Report;
use std::{io::Write as _, process::ExitCode};

fn main() -> ExitCode {
    imapmcp_bootstrap::keep_memory_private();
    // Looked for by hand, because arguments that cannot be parsed must be answered in JSON too.
    let json = std::env::args_os().any(|argument| argument == "--json");
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(told) if told.use_stderr() => {
            if json {
                return fail(&Failure::new(Kind::Usage, first_line(&told.to_string())), json);
            }
            drop(told.print());
            return ExitCode::from(Kind::Usage.exit_code());
        }
        // --help and --version.
        Err(told) => {
            drop(told.print());
            return ExitCode::SUCCESS;
        }
    };
    match run(arguments) {
        Ok(report) => show(&report, json),
        Err(failure) => fail(&failure, json),
    }
}

fn run(arguments: Arguments) -> Result<Report, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Kind::Internal, format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(command(arguments));
    // A name lookup that still hangs does not hold the exit up.
    runtime.shutdown_background();
    outcome
}

async fn command(arguments: Arguments) -> Result<Report, Failure> {
    let settings = arguments.settings();
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

fn show(report: &Report, json: bool) -> ExitCode {
    let text = if json { format!("{:#}\n", report.json) } else { report.text.clone() };
    // A closed pipe (`| head`) is the reader's wish.
    drop(std::io::stdout().write_all(text.as_bytes()));
    ExitCode::from(report.exit)
}

fn fail(failure: &Failure, json: bool) -> ExitCode {
    let text = if json {
        let error = serde_json::json!({ "code": failure.kind.code(), "message": failure.message });
        format!("{:#}\n", serde_json::json!({ "error": error }))
    } else {
        format!("imapmcp-admin: {}\n", failure.message)
    };
    drop(std::io::stderr().write_all(text.as_bytes()));
    ExitCode::from(failure.kind.exit_code())
}

/// Clap's message without its usage text.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
