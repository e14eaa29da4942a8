//! A draft read back, so that it can be changed or sent: whoever wrote it, only what we could have written survives.

use super::{ComposeError, File, Letter, NamedAddress};
use crate::{
    attachment, body, header,
    view::{self, Format},
};
use imapmcp_core::octets::Content;

/// What a stored draft says.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// What it says; its HTML is sanitised.
    pub letter: Letter,
    /// From, where it names exactly one address.
    pub author: Option<NamedAddress>,
    /// Addresses that are none: a draft may hold half a one.
    pub unusable: Vec<String>,
    /// Why its HTML was left out: it would keep a parser busy. It is no longer what was stored.
    pub too_complex: Option<ComposeError>,
}

/// Reads a whole message.
pub fn parse(octets: &[u8]) -> Parsed {
    let (mut letter, mut unusable) = (Letter::default(), Vec::new());
    let whole = view::of_message(octets, Format::Text);
    let fields = &whole.fields;
    letter.subject = fields.first("subject").map(|subject| header::one_line(&subject)).unwrap_or_default();
    for (name, list) in [("to", &mut letter.to), ("cc", &mut letter.cc), ("bcc", &mut letter.bcc)] {
        let Some(raw) = fields.raw(name) else { continue };
        match mailparse::addrparse(raw) {
            Ok(found) => {
                for single in found.iter().flat_map(singles) {
                    let name = single.display_name.as_deref().map(header::text);
                    match NamedAddress::new(name.as_deref(), &single.addr) {
                        Ok(address) => list.push(address),
                        Err(_) => unusable.push(super::shorten(&single.addr)),
                    }
                }
            }
            Err(_) => unusable.push(super::shorten(raw)),
        }
    }
    let authors = fields.raw("from").and_then(|raw| mailparse::addrparse(raw).ok());
    let authors: Vec<_> = authors.iter().flat_map(|list| list.iter()).flat_map(singles).collect();
    let author = match authors.as_slice() {
        [only] => {
            let name = only.display_name.as_deref().map(header::text);
            NamedAddress::new(name.as_deref(), &only.addr).ok()
        }
        _ => None,
    };
    let is_id = |id: &String| super::reply::is_message_id(id);
    letter.in_reply_to = fields.identifiers("in-reply-to", 1).pop().filter(is_id);
    letter.references = fields.identifiers("references", 40).into_iter().filter(is_id).collect();
    let mail = mailparse::parse_mail(octets).ok();
    let mut leaves = Vec::new();
    if let Some(mail) = &mail {
        collect(mail, 0, &mut leaves);
    }
    let text = body::TextParts::of(&whole.parts);
    let of_section = |section: &str| {
        let place = whole.parts.iter().position(|part| part.section == section)?;
        leaves.get(place).copied()
    };
    let decoded =
        |part: &imapmcp_core::mail::Part| of_section(&part.section).and_then(|leaf| leaf.get_body().ok());
    let mut too_complex = None;
    letter.html = match text.html.and_then(decoded).map(|html| super::sanitised(&html)).transpose() {
        Ok(html) => html,
        Err(problem) => {
            too_complex = Some(problem);
            None
        }
    };
    letter.text = match text.plain {
        Some(part) => {
            let flowed = part.parameter("format").is_some_and(|format| format.eq_ignore_ascii_case("flowed"));
            decoded(part)
                .map(|text| if flowed { super::flowed::decode(&text) } else { text.replace("\r\n", "\n") })
        }
        None => letter.html.is_none().then(String::new),
    };
    for file in attachment::list(&whole.parts) {
        let Some(octets) = of_section(&file.section).and_then(|leaf| leaf.get_body_raw().ok()) else {
            continue;
        };
        letter.files.push(File {
            filename: file.filename,
            content_type: if file.content_type.is_empty() {
                "application/octet-stream".into()
            } else {
                file.content_type
            },
            content: Content::Memory(octets.into()),
            content_id: file.content_id.filter(|_| file.inline),
        });
    }
    Parsed { letter, author, unusable, too_complex }
}

pub(crate) fn singles(address: &mailparse::MailAddr) -> Vec<mailparse::SingleInfo> {
    match address {
        mailparse::MailAddr::Single(single) => vec![single.clone()],
        mailparse::MailAddr::Group(group) => group.addrs.clone(),
    }
}

/// Leaves in BODYSTRUCTURE's order.
fn collect<'a>(
    mail: &'a mailparse::ParsedMail<'a>,
    depth: usize,
    leaves: &mut Vec<&'a mailparse::ParsedMail<'a>>,
) {
    if mail.subparts.is_empty() || depth > 32 {
        leaves.push(mail);
        return;
    }
    for part in &mail.subparts {
        collect(part, depth + 1, leaves);
    }
}
