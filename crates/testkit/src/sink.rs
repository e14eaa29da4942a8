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
    /// Takes them, and answers the final dot when [`Sink::answer`] says so.
    TakesWhenTold,
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
    /// The message, dots as they came.
    pub octets: Arc<Vec<u8>>,
}

impl Taken {
    /// The message, dots undoubled (RFC 5321 §4.5.2).
    pub fn message(&self) -> Vec<u8> {
        let lines = self.octets.split_inclusive(|octet| *octet == b'\n');
        lines.map(|line| line.strip_prefix(b".").unwrap_or(line)).collect::<Vec<_>>().concat()
    }
}

#[derive(Debug)]
struct State {
    habit: Habit,
    dots: usize,
    told: usize,
    taken: Vec<Taken>,
    said: Vec<Vec<u8>>,
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
        let state = Arc::new((
            Mutex::new(State { habit, dots: 0, told: 0, taken: Vec::new(), said: Vec::new() }),
            Condvar::new(),
        ));
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

    /// Every octet that clients said, connection by connection.
    pub fn dialogues(&self) -> Vec<Vec<u8>> {
        self.lock().said.clone()
    }

    /// Waits until so many final dots have been seen, answered or not.
    pub fn wait_for_dots(&self, count: usize) {
        let mut state = self.lock();
        while state.dots < count {
            state = self.state.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Answers the next final dot that waits, or is to come, under [`Habit::TakesWhenTold`].
    pub fn answer(&self) {
        self.lock().told += 1;
        self.state.1.notify_all();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// The lines of a connection; each is written down.
struct Lines<'a> {
    reader: BufReader<TcpStream>,
    state: &'a (Mutex<State>, Condvar),
    number: usize,
    line: Vec<u8>,
}

impl Lines<'_> {
    /// Reads the next; `false` at the end.
    fn next(&mut self) -> std::io::Result<bool> {
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line)?;
        lock(self.state).said[self.number].extend_from_slice(&self.line);
        Ok(read > 0)
    }
}

fn lock(state: &(Mutex<State>, Condvar)) -> std::sync::MutexGuard<'_, State> {
    state.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What stands between angle brackets.
fn bracketed(line: &[u8]) -> String {
    String::from_utf8_lossy(line).split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

fn dialogue(mut stream: TcpStream, state: &(Mutex<State>, Condvar)) -> std::io::Result<()> {
    let number = {
        let mut state = lock(state);
        state.said.push(Vec::new());
        state.said.len() - 1
    };
    let mut lines = Lines { reader: BufReader::new(stream.try_clone()?), state, number, line: Vec::new() };
    let mut recipients = Vec::new();
    stream.write_all(b"220 sink\r\n")?;
    while lines.next()? {
        let verb = lines.line.split(|octet| b" :\r".contains(octet)).next().unwrap_or_default();
        let answer = match verb.to_ascii_uppercase().as_slice() {
            b"EHLO" => "250-sink\r\n250-AUTH PLAIN\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            b"AUTH" => "235 in\r\n",
            b"RCPT" => {
                recipients.push(bracketed(&lines.line));
                "250 ok\r\n"
            }
            b"MAIL" => {
                recipients.clear();
                "250 ok\r\n"
            }
            b"DATA" => {
                if lock(state).habit == Habit::Defers {
                    stream.write_all(b"451 later\r\n")?;
                    continue;
                }
                stream.write_all(b"354 go on\r\n")?;
                let (mut message_id, mut octets) = (String::new(), Vec::new());
                loop {
                    if !lines.next()? {
                        return Ok(());
                    }
                    if lines.line == b".\r\n" {
                        break;
                    }
                    if lines.line.len() > 11 && lines.line[..11].eq_ignore_ascii_case(b"message-id:") {
                        message_id = bracketed(&lines.line);
                    }
                    octets.extend_from_slice(&lines.line);
                }
                let habit = {
                    let mut state = lock(state);
                    state.dots += 1;
                    let recipients = std::mem::take(&mut recipients);
                    state.taken.push(Taken { message_id, recipients, octets: Arc::new(octets) });
                    state.habit
                };
                state.1.notify_all();
                match habit {
                    Habit::CutsAfterDot => return Ok(()),
                    Habit::HangsAfterDot => {
                        return std::io::copy(&mut lines.reader, &mut std::io::sink()).map(drop);
                    }
                    Habit::TakesWhenTold => {
                        let mut state_now = lock(state);
                        while state_now.told == 0 {
                            state_now = state.1.wait(state_now).unwrap_or_else(PoisonError::into_inner);
                        }
                        state_now.told -= 1;
                    }
                    Habit::TakesSlowly(pause) => std::thread::sleep(pause),
                    Habit::Takes | Habit::Defers => {}
                }
                "250 taken\r\n"
            }
            b"QUIT" => return stream.write_all(b"221 bye\r\n"),
            _ => "250 ok\r\n",
        };
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}
