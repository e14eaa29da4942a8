//! Strict readers of what a client said: one that was tricked into saying more than it meant does not pass.

use base64::{Engine, engine::general_purpose::STANDARD};

/// A piece of an IMAP command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A word outside quotes and literals, with the sections behind it (`BODY.PEEK[HEADER.FIELDS (A B)]`).
    Atom(String),
    /// A string, quoted or a literal.
    Text(Vec<u8>),
    /// `(`
    Open,
    /// `)`
    Close,
}

/// One command of an IMAP client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImapCommand {
    /// Its tag.
    pub tag: String,
    /// Its name in capitals, UID with what it is of: `UID FETCH`.
    pub name: String,
    /// What follows the name.
    pub tokens: Vec<Token>,
}

/// Reads everything an IMAP client said on a connection (RFC 9051 §9, as far as clients speak). The error says where
/// it is no sequence of well-formed commands.
pub fn imap(said: &[u8]) -> Result<Vec<ImapCommand>, String> {
    let mut rest = said;
    let mut commands = Vec::new();
    while !rest.is_empty() {
        let (tokens, after) = imap_line(rest)
            .map_err(|why| format!("{why} at {}: {}", said.len() - rest.len(), shown(rest)))?;
        let mut words = tokens.iter().map_while(|token| match token {
            Token::Atom(word) => Some(word.to_ascii_uppercase()),
            _ => None,
        });
        let wrong = || format!("no command: {}", shown(rest));
        let tag = words.next().ok_or_else(wrong)?;
        let mut name = words.next().ok_or_else(wrong)?;
        let mut used = 2;
        if name == "UID" {
            name = format!("UID {}", words.next().ok_or_else(wrong)?);
            used = 3;
        }
        commands.push(ImapCommand { tag: tag.to_ascii_lowercase(), name, tokens: tokens[used..].to_vec() });
        rest = after;
    }
    Ok(commands)
}

fn imap_line(said: &[u8]) -> Result<(Vec<Token>, &[u8]), &'static str> {
    let (mut tokens, mut at, mut depth) = (Vec::new(), 0, 0_usize);
    loop {
        match *said.get(at).ok_or("an unfinished command")? {
            b' ' => at += 1,
            b'(' => {
                depth += 1;
                tokens.push(Token::Open);
                at += 1;
            }
            b')' => {
                depth = depth.checked_sub(1).ok_or("a stray )")?;
                tokens.push(Token::Close);
                at += 1;
            }
            b'"' => {
                let (text, end) = quoted(said, at + 1)?;
                tokens.push(Token::Text(text));
                at = end;
            }
            b'{' => {
                let (text, end) = literal(said, at)?;
                tokens.push(Token::Text(text));
                at = end;
            }
            b'\r' if said.get(at + 1) == Some(&b'\n') => {
                return if depth == 0 { Ok((tokens, &said[at + 2..])) } else { Err("an open (") };
            }
            octet if !(0x20..=0x7e).contains(&octet) => return Err("an octet that is no text"),
            _ => {
                let (atom, end) = atom(said, at)?;
                tokens.push(Token::Atom(atom));
                at = end;
            }
        }
    }
}

fn quoted(said: &[u8], mut at: usize) -> Result<(Vec<u8>, usize), &'static str> {
    let mut text = Vec::new();
    loop {
        match *said.get(at).ok_or("an open \"")? {
            b'"' => break,
            b'\\' => {
                at += 1;
                match said.get(at) {
                    Some(octet @ (b'"' | b'\\')) => text.push(*octet),
                    _ => return Err("a wrong escape"),
                }
            }
            b'\r' | b'\n' | 0 => return Err("a line end within quotes"),
            octet => text.push(octet),
        }
        at += 1;
    }
    // a string ends where an argument ends
    match said.get(at + 1) {
        Some(b' ' | b')' | b'\r') => Ok((text, at + 1)),
        _ => Err("something glued to a string"),
    }
}

fn literal(said: &[u8], at: usize) -> Result<(Vec<u8>, usize), &'static str> {
    let end = said[at..].iter().position(|octet| *octet == b'}').ok_or("an open {")? + at;
    let digits = std::str::from_utf8(&said[at + 1..end]).map_err(|_| "no literal")?;
    let digits = digits.strip_suffix('+').unwrap_or(digits);
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err("no literal");
    }
    let size: usize = digits.parse().map_err(|_| "no literal")?;
    if said.get(end + 1..end + 3) != Some(b"\r\n") {
        return Err("a literal within a line");
    }
    let octets = said.get(end + 3..end + 3 + size).ok_or("an unfinished literal")?;
    Ok((octets.to_vec(), end + 3 + size))
}

fn atom(said: &[u8], start: usize) -> Result<(String, usize), &'static str> {
    let (mut at, mut sections) = (start, 0_usize);
    while let Some(octet) = said.get(at) {
        match octet {
            b'[' => sections += 1,
            b']' => sections = sections.checked_sub(1).ok_or("a stray ]")?,
            b' ' | b'(' | b')' if sections > 0 => {}
            b' ' | b'(' | b')' | b'\r' => break,
            b'"' | b'{' | b'}' => return Err("a string within a word"),
            0x21..=0x7e => {}
            _ => return Err("an octet that is no text"),
        }
        at += 1;
    }
    if sections > 0 {
        return Err("an open [");
    }
    Ok((String::from_utf8_lossy(&said[start..at]).into_owned(), at))
}

/// One thing a submission client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmtpCommand {
    /// EHLO, AUTH, RSET, NOOP, QUIT with what follows.
    Plain(String),
    /// The reverse path, without angle brackets.
    Mail(String),
    /// A forward path, without angle brackets.
    Recipient(String),
    /// DATA and the message, dots taken off.
    Data(Vec<u8>),
}

/// Reads everything a submission client said to a server that took it all (RFC 5321 §4.1).
pub fn smtp(said: &[u8]) -> Result<Vec<SmtpCommand>, String> {
    let mut rest = said;
    let mut commands = Vec::new();
    while !rest.is_empty() {
        let end = find(rest, b"\r\n").ok_or_else(|| format!("an unfinished line: {}", shown(rest)))?;
        let (line, after) = (&rest[..end], &rest[end + 2..]);
        if line.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            return Err(format!("a stray line end: {}", shown(line)));
        }
        rest = after;
        let line = String::from_utf8(line.to_vec()).map_err(|_| format!("no text: {}", shown(line)))?;
        let path = |prefix: &str| -> Option<String> {
            let (path, parameters) = line.strip_prefix(prefix)?.split_once('>')?;
            let clean = !path.contains(['<', ' ']) && (parameters.is_empty() || parameters.starts_with(' '));
            clean.then(|| path.to_owned())
        };
        let wrong = || format!("no command: {line}");
        let verb = line.split(' ').next().unwrap_or_default();
        commands.push(match verb {
            "MAIL" => SmtpCommand::Mail(path("MAIL FROM:<").ok_or_else(wrong)?),
            "RCPT" => SmtpCommand::Recipient(path("RCPT TO:<").ok_or_else(wrong)?),
            "DATA" if line == "DATA" => {
                let (message, after) = data(rest)?;
                rest = after;
                SmtpCommand::Data(message)
            }
            "EHLO" | "AUTH" | "RSET" | "NOOP" | "QUIT" => SmtpCommand::Plain(line),
            _ => return Err(wrong()),
        });
    }
    Ok(commands)
}

fn data(said: &[u8]) -> Result<(Vec<u8>, &[u8]), String> {
    let (mut message, mut rest) = (Vec::new(), said);
    loop {
        let end = find(rest, b"\r\n").ok_or("a message without its final dot")?;
        let (line, after) = (&rest[..end], &rest[end + 2..]);
        // what ends a line to one server and not to the next makes two messages of one
        if line.iter().any(|octet| matches!(octet, b'\r' | b'\n')) {
            return Err(format!("a stray line end: {}", shown(line)));
        }
        rest = after;
        match line {
            b"." => return Ok((message, rest)),
            [b'.', b'.', ..] => message.extend_from_slice(&line[1..]),
            [b'.', ..] => return Err(format!("a dot that was not doubled: {}", shown(line))),
            line => message.extend_from_slice(line),
        }
        message.extend_from_slice(b"\r\n");
    }
}

/// A header field: its name, and its value in one line.
pub type Field = (String, String);

/// The header fields of a message, and of each of its parts (those of messages within it are not read). Lines end as
/// they must, and no encoded word hides a control character.
pub fn mail(message: &[u8]) -> Result<Vec<Vec<Field>>, String> {
    let mut headers = Vec::new();
    entity(message, &mut headers)?;
    Ok(headers)
}

fn entity(octets: &[u8], headers: &mut Vec<Vec<Field>>) -> Result<(), String> {
    let mut fields: Vec<Field> = Vec::new();
    let mut rest = octets;
    loop {
        let end = find(rest, b"\r\n").ok_or_else(|| format!("a header without an end: {}", shown(octets)))?;
        let (line, after) = (&rest[..end], &rest[end + 2..]);
        rest = after;
        if line.is_empty() {
            break;
        }
        if line.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            return Err(format!("a stray line end in a header: {}", shown(line)));
        }
        let text = String::from_utf8(line.to_vec()).map_err(|_| format!("no text: {}", shown(line)))?;
        if text.starts_with([' ', '\t']) {
            let last = fields.last_mut().ok_or("a header that begins with a fold")?;
            if text.trim().is_empty() {
                return Err("a folded line without text".to_owned());
            }
            last.1.push_str(&text);
            continue;
        }
        let (name, value) = text.split_once(':').ok_or_else(|| format!("no field: {text}"))?;
        if name.is_empty() || !name.bytes().all(|octet| (0x21..=0x7e).contains(&octet)) {
            return Err(format!("no field: {text}"));
        }
        fields.push((name.to_owned(), value.trim().to_owned()));
    }
    for (name, value) in &fields {
        hides_nothing(value).map_err(|why| format!("{why} in {name}: {value}"))?;
    }
    let kind = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    headers.push(fields);
    if kind.to_ascii_lowercase().starts_with("multipart/") {
        let boundary = kind.split_once("boundary=").map(|(_, rest)| rest).ok_or("no boundary")?;
        let boundary = boundary.trim_matches('"').split(['"', ';']).next().unwrap_or_default();
        for part in parts(rest, boundary)? {
            entity(part, headers)?;
        }
    }
    Ok(())
}

fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<&'a [u8]>, String> {
    let open = format!("--{boundary}\r\n");
    let close = format!("--{boundary}--");
    let between = format!("\r\n{open}");
    let mut rest = match body.strip_prefix(open.as_bytes()) {
        Some(rest) => rest,
        None => &body[find(body, between.as_bytes()).ok_or("a multipart without parts")? + between.len()..],
    };
    let end = find(rest, format!("\r\n{close}").as_bytes()).ok_or("a multipart without an end")?;
    rest = &rest[..end];
    let mut parts = Vec::new();
    while let Some(next) = find(rest, between.as_bytes()) {
        parts.push(&rest[..next]);
        rest = &rest[next + between.len()..];
    }
    parts.push(rest);
    Ok(parts)
}

/// Decodes encoded words (RFC 2047) and parameters (RFC 2231) as roughly as the most credulous of readers.
fn hides_nothing(value: &str) -> Result<(), &'static str> {
    let control = |octets: &[u8]| octets.iter().any(|octet| *octet < 0x20 || *octet == 0x7f);
    for word in value.split("=?").skip(1) {
        let mut pieces = word.splitn(3, '?');
        let (Some(_), Some(how), Some(rest)) = (pieces.next(), pieces.next(), pieces.next()) else {
            continue;
        };
        let text = rest.split("?=").next().unwrap_or_default();
        let octets = match how {
            "q" | "Q" => unescaped(text, b'='),
            "b" | "B" => STANDARD.decode(text).unwrap_or_default(),
            _ => continue,
        };
        if control(&octets) {
            return Err("a hidden control character");
        }
    }
    if value.contains("*=") || value.contains("''") {
        let octets = unescaped(value, b'%');
        if control(&octets) {
            return Err("a hidden control character");
        }
    }
    Ok(())
}

fn unescaped(text: &str, mark: u8) -> Vec<u8> {
    let (octets, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < octets.len() {
        let pair = octets.get(at + 1..at + 3).filter(|_| octets[at] == mark);
        let code = pair.and_then(|pair| std::str::from_utf8(pair).ok());
        if let Some(code) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            out.push(code);
            at += 3;
        } else {
            out.push(octets[at]);
            at += 1;
        }
    }
    out
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len()).position(|window| window == what)
}

fn shown(octets: &[u8]) -> String {
    String::from_utf8_lossy(&octets[..octets.len().min(300)]).escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_say_is_read() {
        let said = b"a1 LOGIN \"a\\\"b\" {3}\r\n\"\r\n\r\na2 UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (A B)]<0.9>)\r\n";
        let commands = imap(said).unwrap();
        assert_eq!(commands.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["LOGIN", "UID FETCH"]);
        assert_eq!(commands[0].tokens, [Token::Text(b"a\"b".to_vec()), Token::Text(b"\"\r\n".to_vec())]);
        let said = b"EHLO x\r\nMAIL FROM:<a@b> BODY=8BITMIME\r\nRCPT TO:<c@d>\r\nDATA\r\nA: 1\r\n\r\n..x\r\n.\r\nQUIT\r\n";
        let commands = smtp(said).unwrap();
        assert_eq!(commands[2], SmtpCommand::Recipient("c@d".to_owned()));
        assert_eq!(commands[3], SmtpCommand::Data(b"A: 1\r\n\r\n.x\r\n".to_vec()));
        let message = b"Subject: =?utf-8?q?a?=\r\n b\r\nContent-Type: multipart/mixed;\r\n boundary=\"x\"\r\n\r\n--x\r\nA: 1\r\n\r\nt\r\n--x\r\nB: 2\r\n\r\nu\r\n--x--\r\n";
        let names: Vec<Vec<String>> = mail(message)
            .unwrap()
            .into_iter()
            .map(|one| one.into_iter().map(|field| field.0).collect())
            .collect();
        assert_eq!(names, [vec!["Subject", "Content-Type"], vec!["A"], vec!["B"]]);
    }

    #[test]
    fn what_was_smuggled_in_is_found() {
        for said in [
            "a1 SELECT \"x\r\na2 XEVIL\r\n",
            "a1 SELECT x\nEVIL\r\n",
            "a1 SELECT \"x\"y\"\r\n",
            "a1 SELECT \"x\\\r\n",
            "a1 UID STORE 1 (x) y)\r\n",
            "a1 SELECT \"x\" {3+} y\r\n",
            "a1 SELECT {30}\r\nx\r\n",
            "a1 SELECT x\0\r\n",
            "a1 SELECT \u{e9}\r\n",
        ] {
            assert!(imap(said.as_bytes()).is_err(), "{said:?}");
        }
        // two commands where there should be one
        assert_eq!(imap(b"a1 SELECT x\r\na2 XEVIL\r\n").unwrap()[1].name, "XEVIL");
        for said in [
            "MAIL FROM:<a@b>x\r\n",
            "MAIL FROM:<a b>\r\n",
            "RCPT TO:<a@b\nRCPT TO:<c@d>\r\n",
            "XEVIL\r\n",
            "DATA\r\nx\n.\nQUIT\r\n.\r\n",
            "DATA\r\nx\r.\rQUIT\r\n.\r\n",
            "DATA\r\n.x\r\n.\r\n",
            "DATA\r\nx\r\n",
        ] {
            assert!(smtp(said.as_bytes()).is_err(), "{said:?}");
        }
        for message in [
            "Subject: a\nBcc: b\r\n\r\n",
            "Subject: a\r\nno field\r\n\r\n",
            "Subject: =?utf-8?q?a=0D=0ABcc:?=\r\n\r\n",
            "Subject: =?utf-8?b?DQpCY2M6?=\r\n\r\n",
            "Content-Type: text/plain; name*=utf-8''a%0d%0aB\r\n\r\n",
            "Subject: a\0\r\n\r\n",
            " folded\r\n\r\n",
        ] {
            assert!(mail(message.as_bytes()).is_err(), "{message:?}");
        }
    }
}
