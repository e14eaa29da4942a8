//! A policy service for Postfix (SMTPD_POLICY_README): greylisting as providers do it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The service. Its threads end with the process.
#[derive(Debug)]
pub(super) struct Greylist {
    pub(super) port: u16,
    tries: Arc<AtomicUsize>,
}

impl Greylist {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tries);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tries = Arc::clone(&counted);
                std::thread::spawn(move || serve(stream, &tries));
            }
        });
        Self { port, tries }
    }

    pub(super) fn tries(&self) -> usize {
        self.tries.load(Ordering::SeqCst)
    }
}

/// The first try is put off, later ones pass.
fn serve(mut stream: TcpStream, tries: &AtomicUsize) -> std::io::Result<()> {
    let lines = BufReader::new(stream.try_clone()?).lines();
    for line in lines {
        if line?.is_empty() {
            let first = tries.fetch_add(1, Ordering::SeqCst) == 0;
            let action = if first { "451 4.7.1 greylisted, try again later" } else { "DUNNO" };
            write!(stream, "action={action}\n\n")?;
        }
    }
    Ok(())
}
