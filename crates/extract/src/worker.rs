//! The worker's side: one file on standard input, its text on standard output.

use crate::{
    error::ExtractError,
    job::{self, Extracted, Job, MAX_OCTETS},
    pages::MAX_TEXT,
};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// Octets a worker may write: text or a picture, and what parsers print.
pub(crate) const MAX_OUTPUT: usize = 4 * MAX_TEXT;
/// Memory of a worker (address space).
const MEMORY: u64 = 1024 * 1024 * 1024;
/// Processor time of a worker.
const CPU_SECONDS: u64 = 15;

/// In front of the answer: parsers print to standard output, what comes before this is theirs. It is written last, so a
/// file cannot put one in front.
const MARK: &[u8] = b"\0imapmcp-extract\0";

#[derive(Serialize, Deserialize)]
enum Outcome {
    Done(Extracted),
    Failed(ExtractError),
}

/// Runs one job and ends: what a program does when it was started as the worker. The exit code for `main`.
pub fn main() -> u8 {
    match serve(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => 0,
        Err(_) => 74,
    }
}

fn serve(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    use rlimit::{Resource, setrlimit};
    for (resource, limit) in [
        (Resource::AS, MEMORY),
        (Resource::CPU, CPU_SECONDS),
        (Resource::CORE, 0),
        // a worker writes nothing but its pipe
        (Resource::FSIZE, 0),
    ] {
        setrlimit(resource, limit, limit)?;
    }
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let mut head = Vec::new();
    input.take(u64::from(u32::from_be_bytes(length))).read_to_end(&mut head)?;
    let job: Job = serde_json::from_slice(&head)?;
    let mut octets = Vec::new();
    input.take(MAX_OCTETS as u64 + 1).read_to_end(&mut octets)?;
    let (outcome, payload) = match job::run(&job, &octets) {
        Ok((answer, payload)) => (Outcome::Done(answer), payload),
        Err(error) => (Outcome::Failed(error), Vec::new()),
    };
    let head = serde_json::to_vec(&outcome)?;
    output.write_all(MARK)?;
    output.write_all(&u32::try_from(head.len()).unwrap_or(0).to_be_bytes())?;
    output.write_all(&head)?;
    output.write_all(&payload)?;
    output.flush()
}

/// What goes in front of the file.
pub(crate) fn head(job: &Job) -> Vec<u8> {
    let job = serde_json::to_vec(job).unwrap_or_default();
    [&u32::try_from(job.len()).unwrap_or(0).to_be_bytes(), job.as_slice()].concat()
}

/// Reads what a worker wrote; `None` if it did not come to its end.
pub(crate) fn answer(output: &[u8]) -> Option<Result<(Extracted, Vec<u8>), ExtractError>> {
    let at = output.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let (length, rest) = output[at..].split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (head, payload) = rest.split_at_checked(length)?;
    match serde_json::from_slice(head).ok()? {
        Outcome::Done(answer) => Some(Ok((answer, payload.to_vec()))),
        Outcome::Failed(error) => Some(Err(error)),
    }
}
