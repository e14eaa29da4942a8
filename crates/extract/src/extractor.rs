//! Files read in processes of their own, a few at a time.

use crate::{
    error::ExtractError,
    job::{self, Extracted, Job, MAX_OCTETS},
    worker,
};
use bytes::Bytes;
use std::{ffi::OsString, path::PathBuf, process::Stdio, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    sync::Semaphore,
};

/// Wall time of one file.
const DEADLINE: Duration = Duration::from_secs(20);
/// Files at a time; others wait their turn.
const AT_A_TIME: usize = 2;

/// A file to read.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its name: the ending counts where the type says nothing.
    pub filename: String,
    /// Its media type, as the sender wrote it.
    pub content_type: String,
    /// Charset of a text, as the sender wrote it.
    pub charset: Option<String>,
    /// Pages, sheets or slides wanted, first and last, from 1; all when `None`.
    pub pages: Option<(u32, u32)>,
    /// The file.
    pub octets: Bytes,
}

/// A file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// `pdf`, `docx`, `xlsx`, `pptx`, `zip`, `eml`, `html`, `ics` or `text`.
    pub kind: String,
    /// Pages, sheets or slides in the file, where it has such.
    pub pages: Option<u32>,
    /// The text, freed of characters that hide or reorder it.
    pub text: String,
    /// The file holds more than the bounds allow.
    pub cut: bool,
}

/// A picture for a model to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// `image/jpeg` or `image/png`.
    pub media_type: String,
    /// The picture, at most 1,568 pixels a side.
    pub octets: Bytes,
}

/// Reads files. Clones share the limit of files at a time.
#[derive(Debug, Clone)]
pub struct Extractor {
    place: Place,
    turns: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
enum Place {
    /// A process for each file.
    Worker(PathBuf, Vec<OsString>),
    /// This process: a hostile file can fill or crash it.
    Here,
}

impl Extractor {
    /// Each file in a process of its own: `program` with these arguments must call [`worker::main`](crate::worker::main).
    pub fn worker(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self { place: Place::Worker(program, arguments), turns: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// On a thread of this process, for tests and for files that are trusted.
    pub fn in_process() -> Self {
        Self { place: Place::Here, turns: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// A file's text.
    pub async fn text(&self, request: Request) -> Result<Document, ExtractError> {
        if request.octets.len() > MAX_OCTETS {
            return Err(ExtractError::TooLarge);
        }
        let job = Job::Text {
            filename: request.filename,
            content_type: request.content_type,
            charset: request.charset,
            pages: request.pages,
        };
        match self.run(job, request.octets).await? {
            (Extracted::Text { kind, pages, cut }, text) => {
                let text = String::from_utf8(text).map_err(|_| ExtractError::Damaged)?;
                Ok(Document { kind, pages, text, cut })
            }
            _ => Err(ExtractError::Damaged),
        }
    }

    /// A picture, scaled down where it is large.
    pub async fn picture(&self, octets: Bytes) -> Result<Picture, ExtractError> {
        if octets.len() > MAX_OCTETS {
            return Err(ExtractError::TooLarge);
        }
        match self.run(Job::Picture, octets).await? {
            (Extracted::Picture { media_type }, octets) => Ok(Picture { media_type, octets: octets.into() }),
            _ => Err(ExtractError::Damaged),
        }
    }

    async fn run(&self, job: Job, octets: Bytes) -> Result<(Extracted, Vec<u8>), ExtractError> {
        let turn = tokio::time::timeout(DEADLINE, self.turns.clone().acquire_owned()).await;
        let _turn = turn.map_err(|_| ExtractError::Busy)?.map_err(|_| ExtractError::Busy)?;
        let work = async {
            match &self.place {
                Place::Here => {
                    let work = tokio::task::spawn_blocking(move || job::run(&job, &octets));
                    // a panic of a parser is an error about the file
                    work.await.unwrap_or(Err(ExtractError::Damaged))
                }
                Place::Worker(program, arguments) => in_worker(program, arguments, &job, &octets).await,
            }
        };
        tokio::time::timeout(DEADLINE, work).await.unwrap_or(Err(ExtractError::TooHard))
    }
}

async fn in_worker(
    program: &PathBuf,
    arguments: &[OsString],
    job: &Job,
    octets: &[u8],
) -> Result<(Extracted, Vec<u8>), ExtractError> {
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "the extraction worker could not be run");
        ExtractError::Busy
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(ExtractError::Busy);
    };
    let head = worker::head(job);
    let write = async {
        // a worker that dies early closes the pipe: its exit tells more
        let _ = stdin.write_all(&head).await;
        let _ = stdin.write_all(octets).await;
        drop(stdin);
    };
    let mut output = Vec::new();
    let mut bounded = stdout.take(worker::MAX_OUTPUT as u64);
    let ((), read) = tokio::join!(write, bounded.read_to_end(&mut output));
    read.map_err(failed)?;
    let status = child.wait().await.map_err(failed)?;
    match worker::answer(&output) {
        Some(answer) => answer,
        // killed by a limit (no memory, no time), or crashed
        None if status.success() => Err(ExtractError::Damaged),
        None => Err(ExtractError::TooHard),
    }
}
