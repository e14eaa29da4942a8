//! Messages that were passed on: their text is what the sender wants to be read.

/// What stands above a forwarded message, wholly in lower case.
const MARKS: &[&str] = &[
    "forwarded message",
    "forwarded by ",
    "fwd message",
    "weitergeleitete nachricht",
    "weitergeleiteten nachricht",
    "message transféré",
    "message transmis",
    "mensaje reenviado",
    "messaggio inoltrato",
    "doorgestuurd bericht",
    "mensagem encaminhada",
    "przekazana wiadomość",
    "wiadomość przekazana",
    "пересылаемое сообщение",
    "переадресованное сообщение",
    "переадресованного сообщения",
    "пересланное сообщение",
    "転送されたメッセージ",
    "転送メッセージ",
    "转发的邮件",
    "转发邮件",
    "轉寄的郵件",
    "전달된 메시지",
    "vidarebefordrat meddelande",
    "videresendt melding",
    "videresendt meddelelse",
    "edelleenlähetetty viesti",
    "iletilen mesaj",
];

/// Prefixes of subjects of forwarded messages, before the colon.
const PREFIXES: &[&str] = &[
    "fwd",
    "fw",
    "wg",
    "tr",
    "rv",
    "enc",
    "i",
    "doorst",
    "pd",
    "vs",
    "vb",
    "vl",
    "пер",
    "пересылка",
    "転送",
    "转发",
    "轉寄",
    "전달",
    "ilt",
];

/// Whether an earlier message is one that was passed on.
pub(super) fn begins(quoted: &str, subject: Option<&str>) -> bool {
    let mut lines = quoted.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let is_mark = |line: &str| {
        let line = line.to_lowercase();
        line.len() <= 120 && MARKS.iter().any(|mark| line.contains(mark))
    };
    if is_mark(first) {
        return true;
    }
    // an attribution ("Ann wrote:") or a quote mark is an answer's, whatever its subject says
    let is_answer =
        first.starts_with('>') || (first.ends_with([':', '：']) && first.contains(char::is_whitespace));
    !is_answer && subject.is_some_and(is_forward)
}

/// Whether a subject begins as one of a forwarded message does, behind what lists put before it.
fn is_forward(subject: &str) -> bool {
    let subject = subject.trim_start();
    let subject =
        subject.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(subject, |(_, rest)| rest);
    subject
        .split_once([':', '：'])
        .is_some_and(|(prefix, _)| PREFIXES.contains(&prefix.trim().to_lowercase().as_str()))
}
