//! What the sender wrote, and what was quoted below it.

mod forwarded;

use crate::header::first_octets;

/// A body taken apart. The pieces are slices of it, without the blank lines around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split<'a> {
    /// What the sender wrote now. Never empty unless the text is.
    pub newest: &'a str,
    /// The signature, with its `-- ` line.
    pub signature: Option<&'a str>,
    /// Earlier messages, with the line that introduces them.
    pub quoted: Option<&'a str>,
}

/// Lines of a signature at most; a longer one is text.
const MAX_SIGNATURE: usize = 20;
/// Octets of a line that may introduce a quote.
const MAX_LINE: usize = 400;

/// Newest text, signature and quoted earlier text of a plain or Markdown body. Knows the attributions of mail programs
/// in eleven languages, Outlook's header blocks, `> ` lines at the end and signatures. An inline answer (quote, answer,
/// quote, answer) keeps its quotes in `newest`, and a message that is nothing but a quote is shown whole.
pub fn split(text: &str) -> Split<'_> {
    let lines = Line::all(text);
    let end = lines.len();
    let Some((first, last)) = quote(&lines) else {
        let (newest, signature) = signed(text, &lines, 0, end);
        return Split { newest, signature, quoted: None };
    };
    let (newest, above) = signed(text, &lines, 0, first);
    if newest.is_empty() && above.is_none() {
        return Split { newest: text.trim(), signature: None, quoted: None };
    }
    let (_, below) = signed(text, &lines, last, end);
    Split { newest, signature: above.or(below), quoted: Some(piece(text, &lines, first, last)) }
}

/// What is read of a text when quotes are left out; `None` if nothing is. A forwarded message stays: it stands nowhere else.
/// `subject` tells one that looks like a quote (Outlook writes the same block above both).
pub fn stripped<'a>(text: &'a str, subject: Option<&str>) -> Option<&'a str> {
    let split = split(text);
    let quoted = split.quoted?;
    let is_kept = split.newest.trim().is_empty() || forwarded::begins(quoted, subject);
    (!is_kept).then_some(split.newest)
}

/// What the sender wrote now, for one who reads: [`Split::newest`], or all of a text that passes on another message.
pub fn newest<'a>(text: &'a str, subject: Option<&str>) -> &'a str {
    let split = split(text);
    let is_forward = split.quoted.is_some_and(|quoted| forwarded::begins(quoted, subject));
    if is_forward { text } else { split.newest }
}

/// Plain text without the quoted message at its end, signature kept. `None` if there is no quote to leave out.
pub fn without_trailing_quote(text: &str) -> Option<&str> {
    let split = split(text);
    let quoted = split.quoted?;
    let at = quoted.as_ptr() as usize - text.as_ptr() as usize;
    Some(text[..at].trim_end()).filter(|kept| !kept.is_empty())
}

struct Line<'a> {
    at: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn all(text: &'a str) -> Vec<Self> {
        let mut at = 0;
        text.split_inclusive('\n')
            .map(|line| {
                let start = at;
                at += line.len();
                Self { at: start, text: line.trim() }
            })
            .collect()
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn is_quote(&self) -> bool {
        self.text.starts_with('>')
    }
}

fn piece<'a>(text: &'a str, lines: &[Line<'_>], first: usize, last: usize) -> &'a str {
    let start = lines.get(first).map_or(text.len(), |line| line.at);
    let end = lines.get(last).map_or(text.len(), |line| line.at);
    text[start..end].trim_matches(['\n', '\r']).trim_end()
}

/// Lines of the quoted messages: from where, to where (what follows can only be a signature).
fn quote(lines: &[Line<'_>]) -> Option<(usize, usize)> {
    // a block that says "everything below is earlier", whatever it looks like
    let marked = (0..lines.len()).find(|at| is_divider(lines, *at) || header_block(lines, *at));
    // lines that begin with ">" at the end, a signature below them aside
    let mut last = lines.len();
    if let Some(sign) = lines.iter().rposition(|line| matches!(line.text, "--" | "-- " | "—")) {
        let below = lines[sign..].iter().filter(|line| !line.is_empty()).count();
        if below <= MAX_SIGNATURE
            && lines[..sign].iter().rev().find(|line| !line.is_empty()).is_some_and(Line::is_quote)
        {
            last = sign;
        }
    }
    let trailing =
        lines[..last].iter().rposition(|line| !line.is_empty() && !line.is_quote()).map_or(0, |at| at + 1);
    let first_quote = lines[trailing..last].iter().position(Line::is_quote).map(|at| trailing + at);
    let trailing = first_quote.map(|first| (attribution_above(lines, first), last));
    // an attribution whose quote has no marks (HTML turned to text): all below it is earlier, unless marks show that
    // it is being answered
    let marks = lines.iter().any(Line::is_quote);
    let unmarked = (!marks)
        .then(|| {
            (0..lines.len()).find(|at| is_attribution(lines[*at].text) || wrapped_attribution(lines, *at))
        })
        .flatten();
    let whole = marked.into_iter().chain(unmarked).min();
    match (whole, trailing) {
        (Some(at), Some((first, _))) if at <= first => Some((at, lines.len())),
        (Some(at), None) => Some((at, lines.len())),
        (_, trailing) => trailing,
    }
}

/// The line above a quote that introduces it, wrapped or not; else the quote itself.
fn attribution_above(lines: &[Line<'_>], first: usize) -> usize {
    let Some(above) = lines[..first].iter().rposition(|line| !line.is_empty()) else { return first };
    if first - above > 3 {
        return first;
    }
    if above > 0 && wrapped_attribution(lines, above - 1) {
        return above - 1;
    }
    let line = lines[above].text;
    let ends = line.ends_with([':', '：']) && line.len() <= MAX_LINE;
    if ends || is_attribution(line) { above } else { first }
}

fn wrapped_attribution(lines: &[Line<'_>], at: usize) -> bool {
    let [one, two, ..] = &lines[at..] else { return false };
    // the cheapest question first: this looks at every pair of lines
    if !two.text.ends_with([':', '：'])
        || one.is_empty()
        || one.text.len() + two.text.len() > MAX_LINE
        || is_attribution(two.text) && !starts(one.text)
    {
        return false;
    }
    starts(one.text) && is_attribution(&format!("{} {}", one.text, two.text))
}

/// First words of attributions.
const STARTS: &[&str] = &[
    "on ", "am ", "le ", "el ", "il ", "op ", "em ", "no dia ", "w dniu ", "dnia ", "в ", "20", "19", "пн",
    "вт", "ср", "чт", "пт", "сб", "вс", "den ", "a ",
];

/// What stands at the end of an attribution: "… wrote".
const ENDS: &[&str] = &[
    "wrote",
    "schrieb",
    "a écrit",
    "escribió",
    "ha scritto",
    "het volgende geschreven",
    "schreef",
    "escreveu",
    "napisał",
    "napisała",
    "napisał(a)",
    "пишет",
    "написал",
    "написала",
    "написал(а)",
    "のメール",
    "のメッセージ",
    "さんは書きました",
    "写道",
    "寫道",
    "wrote / schrieb",
];

fn starts(line: &str) -> bool {
    let start: String = line.chars().take(10).flat_map(char::to_lowercase).collect();
    STARTS.iter().any(|word| start.starts_with(word))
}

/// "On Monday, 3 May 2026, Marie wrote:" and its translations: a date and a verb in one line that ends in a colon.
fn is_attribution(line: &str) -> bool {
    if line.len() > MAX_LINE
        || line.len() < 8
        || !line.ends_with([':', '：'])
        || !line.contains(|c: char| c.is_ascii_digit())
    {
        return false;
    }
    let line = line.trim_end_matches([':', '：', ' ']).to_lowercase();
    // some languages put the verb before the name: "Am 3. Mai schrieb Marie:", "Op 3 mei schreef Marie:"
    ENDS.iter().any(|verb| line.ends_with(verb))
        || (starts(&line)
            && [
                "schrieb ",
                "schreef ",
                "a écrit ",
                "escribió ",
                "ha scritto ",
                "escreveu ",
                "napisał",
                "пишет ",
                "написал",
                "wrote ",
            ]
            .iter()
            .any(|verb| line.contains(verb)))
}

/// Words of dividers, between dashes or underscores.
const DIVIDERS: &[&str] = &[
    "original message",
    "forwarded message",
    "originalnachricht",
    "ursprüngliche nachricht",
    "weitergeleitete nachricht",
    "message d'origine",
    "message original",
    "message transféré",
    "mensaje original",
    "mensaje reenviado",
    "messaggio originale",
    "messaggio inoltrato",
    "oorspronkelijk bericht",
    "doorgestuurd bericht",
    "mensagem original",
    "mensagem encaminhada",
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "исходное сообщение",
    "пересылаемое сообщение",
    "元のメッセージ",
    "原始邮件",
    "原始郵件",
];

fn is_divider(lines: &[Line<'_>], at: usize) -> bool {
    let line = lines[at].text;
    if line.len() > 120 || !line.starts_with(['-', '_', '\\', '*']) {
        return false;
    }
    let said = line.trim_matches(['-', '_', '*', '\\', ' ']).to_lowercase();
    if DIVIDERS.iter().any(|divider| said == *divider) {
        return true;
    }
    // a rule above a header block belongs to it
    said.is_empty()
        && line.len() >= 3
        && (at + 1..lines.len().min(at + 4)).any(|below| header_block(lines, below))
}

/// Names of From, of Sent or Date, and of To or Subject, as Outlook and others write them above a quoted message.
const FROM: &[&str] = &["from", "von", "de", "da", "van", "od", "от", "差出人", "发件人", "寄件者", "寄件人"];
const SENT: &[&str] = &[
    "sent",
    "date",
    "gesendet",
    "datum",
    "envoyé",
    "enviado",
    "enviado el",
    "fecha",
    "inviato",
    "data",
    "verzonden",
    "enviada em",
    "enviado em",
    "wysłano",
    "дата",
    "отправлено",
    "送信日時",
    "日時",
    "发送时间",
    "日期",
    "傳送時間",
    "寄件日期",
];
const MORE: &[&str] = &[
    "to",
    "subject",
    "an",
    "betreff",
    "à",
    "objet",
    "para",
    "asunto",
    "a",
    "oggetto",
    "aan",
    "onderwerp",
    "assunto",
    "do",
    "temat",
    "кому",
    "тема",
    "宛先",
    "件名",
    "收件人",
    "主题",
    "收件者",
    "主旨",
    "主題",
    "cc",
];

/// Whether an Outlook header block begins here: From, then Sent, then To or Subject within a few lines.
fn header_block(lines: &[Line<'_>], at: usize) -> bool {
    let name = |line: &Line<'_>| -> Option<String> {
        let line = line.text.trim_start_matches(['*', '#', ' ']);
        let end = first_octets(line, 44).find([':', '：']).filter(|end| *end <= 40)?;
        Some(line[..end].trim_matches(['*', ' ', '\u{a0}']).to_lowercase())
    };
    if !name(&lines[at]).is_some_and(|name| FROM.contains(&name.as_str())) {
        return false;
    }
    let below = lines[at + 1..].iter().take(8).filter(|line| !line.is_empty()).take(4);
    let names: Vec<String> = below.filter_map(name).collect();
    let has = |words: &[&str]| names.iter().any(|name| words.contains(&name.as_str()));
    has(SENT) && has(MORE)
}

/// Lines by which telephones and free mail sign.
const SENT_FROM: &[&str] = &[
    "sent from my ",
    "sent from mail for",
    "sent from outlook",
    "sent from yahoo",
    "sent via ",
    "get outlook for",
    "von meinem ",
    "gesendet von ",
    "envoyé de mon ",
    "envoyé depuis ",
    "enviado desde ",
    "enviado do meu ",
    "inviato da ",
    "verzonden vanaf ",
    "verstuurd vanaf ",
    "wysłane z ",
    "wysłano z ",
    "отправлено с ",
    "отправлено из ",
    "iphoneから送信",
    "从我的iphone发送",
    "发自我的",
];

/// The text of the lines from `first` to `last`, and the signature at its end.
fn signed<'a>(text: &'a str, lines: &[Line<'_>], first: usize, last: usize) -> (&'a str, Option<&'a str>) {
    let range = &lines[first.min(last)..last];
    let whole = piece(text, lines, first, last);
    let from = range.len().saturating_sub(3 * MAX_SIGNATURE);
    let dashes = range[from..].iter().rposition(|line| matches!(line.text, "--" | "—")).map(|at| from + at);
    let dashes =
        dashes.filter(|at| range[*at..].iter().filter(|line| !line.is_empty()).count() <= MAX_SIGNATURE);
    let phone = || {
        let at = range.iter().rposition(|line| !line.is_empty())?;
        let line: String = range[at]
            .text
            .trim_start_matches(['[', '*', '_'])
            .chars()
            .take(40)
            .flat_map(char::to_lowercase)
            .collect();
        SENT_FROM.iter().any(|start| line.starts_with(start)).then_some(at)
    };
    match dashes.or_else(phone) {
        Some(at) => {
            let signature = piece(text, lines, first + at, last);
            (piece(text, lines, first, first + at), (!signature.is_empty()).then_some(signature))
        }
        None => (whole, None),
    }
}

#[cfg(test)]
mod tests;
