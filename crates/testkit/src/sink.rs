//! A submission server that keeps what it is given: plain text, on loopback, as slow or as broken as it is told to be.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

/// What the sink does with the messages to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Takes them.
    Takes,
    /// Takes them after a pause before its answer to the final dot.
    TakesSlowly(Duration),
    /// Takes them and hangs up instead of answering the final dot.
    CutsAfterDot,
    /// Never answers the final dot.
    HangsAfterDot,
    /// Answers DATA with 451.
    Defers,
}

/// A message as it was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// RFC 5321 forward paths.
    pub recipients: Vec<String>,
    /// The message, dots undoubled.
    pub octets: Arc<Vec<u8>>,
}

#[derive(Debug)]
struct State {
    habit: Habit,
    dots: usize,
    taken: Vec<Taken>,
}

/// The sink. Threads end when their client hangs up or the process ends.
#[derive(Debug)]
pub struct Sink {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Sink {
    /// Starts it.
    pub fn start(habit: Habit) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new((Mutex::new(State { habit, dots: 0, taken: Vec::new() }), Condvar::new()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // a client that hangs up is an error to the dialogue, and the end of it
                std::thread::spawn(move || dialogue(stream, &state));
            }
        });
        Self { port, state }
    }

    /// What it does from now on.
    pub fn will(&self, habit: Habit) {
        self.lock().habit = habit;
    }

    /// What it has taken.
    pub fn taken(&self) -> Vec<Taken> {
        self.lock().taken.clone()
    }

    /// Waits until so many final dots have been seen, answered or not.
    pub fn wait_for_dots(&self, count: usize) {
        let mut state = self.lock();
        while state.dots < count {
            state = self.state.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn dialogue(mut stream: TcpStream, state: &(Mutex<State>, Condvar)) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    let mut recipients = Vec::new();
    stream.write_all(b"220 sink\r\n")?;
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let upper = line.to_ascii_uppercase();
        let answer = match upper.split([' ', ':', '\r']).next().unwrap_or_default() {
            "EHLO" => "250-sink\r\n250-AUTH PLAIN\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            "AUTH" => "235 in\r\n",
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                recipients.push(address.to_owned());
                "250 ok\r\n"
            }
            "MAIL" => {
                recipients.clear();
                "250 ok\r\n"
            }
            "DATA" => {
                let habit = state.0.lock().unwrap_or_else(PoisonError::into_inner).habit;
                if habit == Habit::Defers {
                    stream.write_all(b"451 later\r\n")?;
                    continue;
                }
                stream.write_all(b"354 go on\r\n")?;
                let (mut message_id, mut octets) = (String::new(), Vec::new());
                loop {
                    line.clear();
                    if lines.read_line(&mut line)? == 0 {
                        return Ok(());
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    octets.extend_from_slice(line.strip_prefix('.').unwrap_or(&line).as_bytes());
                    if line.len() < 200 && line.to_ascii_lowercase().starts_with("message-id:") {
                        line.split(['<', '>']).nth(1).unwrap_or_default().clone_into(&mut message_id);
                    }
                }
                let habit = {
                    let mut state = state.0.lock().unwrap_or_else(PoisonError::into_inner);
                    state.dots += 1;
                    let recipients = std::mem::take(&mut recipients);
                    state.taken.push(Taken { message_id, recipients, octets: Arc::new(octets) });
                    state.habit
                };
                state.1.notify_all();
                match habit {
                    Habit::CutsAfterDot => return Ok(()),
                    Habit::HangsAfterDot => return std::io::copy(&mut lines, &mut std::io::sink()).map(drop),
                    Habit::TakesSlowly(pause) => std::thread::sleep(pause),
                    Habit::Takes | Habit::Defers => {}
                }
                "250 taken\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => "250 ok\r\n",
        };
        stream.write_all(answer.as_bytes())?;
    }
}
