//! imapmcp-server: authorization server, MCP endpoint and account pages in one program.

mod arguments;
mod crowd;
mod health;
mod logging;
mod memory;
mod requests;
mod serve;

use actix_web::rt::System;
use arguments::Arguments;
use clap::Parser as _;
use imapmcp_bootstrap::{Services, Settings, StartError, open_database, open_vault};
use imapmcp_core::time::SystemClock;
use std::{process::ExitCode, sync::Arc};

/// The first argument that makes this program the worker that reads one attachment, with limits of its own.
const EXTRACT_WORKER: &str = "--extract-worker";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]
fn main() -> ExitCode {
    imapmcp_bootstrap::keep_memory_private();
    if std::env::args_os().nth(1).is_some_and(|argument| argument == EXTRACT_WORKER) {
        return ExitCode::from(imapmcp_extract::worker::main());
    }
    memory::give_back();
    let arguments = Arguments::parse();
    let settings = match Settings::load(arguments.config.as_deref(), std::env::vars(), arguments.overrides())
    {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("imapmcp-server: {error}");
            return ExitCode::from(78); // EX_CONFIG
        }
    };
    if arguments.print_config {
        print!("{}", settings.print());
        return ExitCode::SUCCESS;
    }
    logging::start(&settings);
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("imapmcp-server: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

/// sysexits.h: 78 configuration or keys, 75 database unavailable, 69 address in use, 73 cannot write, 70 a bug.
fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<StartError>() {
        Some(StartError::Keys(_) | StartError::Mail(_) | StartError::NotMigrated | StartError::Newer(_)) => {
            78
        }
        Some(StartError::Store(_)) => 75,
        Some(StartError::DataDir { .. }) => 73,
        None => match error.downcast_ref::<std::io::Error>() {
            Some(_) => 69,
            None => 70,
        },
    }
}

fn run(settings: Settings) -> anyhow::Result<()> {
    // one multi-threaded runtime for the services; actix's workers have their own for requests
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let services = Arc::new(runtime.block_on(open(settings))?);
    let handle = runtime.handle().clone();
    System::new().block_on(serve::serve(services, handle))?;
    // what still runs (a blocked resolver, say) does not hold the exit up
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    Ok(())
}

async fn open(settings: Settings) -> Result<Services, StartError> {
    let database = open_database(&settings).await?;
    let status = database.migration_status().await?;
    if status.iter().any(|(_, applied)| *applied) {
        // wrong keys: nothing is written, not even a migration
        let entropy = Arc::new(imapmcp_bootstrap::SystemEntropy);
        open_vault(&settings, &database, &SystemClock, entropy).await?;
    }
    let applied = database.migrate().await?;
    if !applied.is_empty() {
        tracing::info!(migrations = applied.len(), "the database is up to date");
    }
    Services::open(settings, database).await
}
