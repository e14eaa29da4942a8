//! A draft read back, so that it can be changed or sent: whoever wrote it, everything of it is kept, or it is told what
//! cannot be.

use super::{
    address::NamedAddress,
    fields,
    file::File,
    flowed,
    html::sanitised,
    letter::{Letter, Passage},
    part, reply,
    safe::shorten,
};
use crate::{
    addresses::mailboxes,
    charset,
    header::{self, Fields},
    read::{
        attachment,
        structure::{self, Leaf, Message, Structure},
    },
    transfer,
};
use imapmcp_core::{
    mail::{Address, Part},
    octets::Content,
};
use std::collections::HashMap;

/// What a stored draft says.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// What it says; its HTML is sanitised.
    pub letter: Letter,
    /// From, where it names exactly one address.
    pub author: Option<NamedAddress>,
    /// Addresses that are none, with their field (`to`, `cc`, `bcc`): a draft may hold half a one.
    pub unusable: Vec<(&'static str, String)>,
    /// Why it cannot be kept as it is; the letter lacks something then.
    pub unkept: Option<String>,
    /// Sections of the parts that are its texts; each of the others is a file.
    pub texts: Vec<String>,
    /// A text ended with the octets and not with a delimiter.
    pub open: bool,
}

/// Reads a whole message, or its beginning: then its last files are missing.
pub fn parse(octets: &[u8]) -> Parsed {
    let Message { fields, header_end, structure } = structure::of_message(octets);
    let mut parsed = Parsed::default();
    parsed.read_header(&fields);
    let mut reader = Reader::new(&structure, octets, parsed);
    reader.read("", false);
    let Reader { parsed, pictures, .. } = reader;
    parsed.finish(&pictures, structure.cut || header_end > header::MAX_SECTION)
}

impl Parsed {
    fn read_header(&mut self, fields: &Fields) {
        let letter = &mut self.letter;
        letter.subject =
            fields.first("subject").map(|subject| header::one_line(&subject)).unwrap_or_default();
        for (name, list) in [("to", &mut letter.to), ("cc", &mut letter.cc), ("bcc", &mut letter.bcc)] {
            for raw in fields.every(name) {
                for one in mailboxes(raw) {
                    match named(&one) {
                        Some(address) => list.push(address),
                        None => self.unusable.push((name, shorten(&one.email))),
                    }
                }
            }
        }
        let people = |name: &str| fields.every(name).flat_map(mailboxes).collect::<Vec<_>>();
        let authors = people("from");
        self.author = match authors.as_slice() {
            [only] => named(only),
            _ => None,
        };
        match fields::kept(fields) {
            Ok(kept) => letter.fields = kept,
            Err(problem) => self.unkept = Some(problem),
        }
        if self.author.is_none() && fields.raw("from").is_some_and(|from| !from.trim().is_empty()) {
            self.unkept("its From does not name one address");
        }
        let is_another =
            |sender: &Address| !authors.iter().any(|author| author.email.eq_ignore_ascii_case(&sender.email));
        if people("sender").iter().any(is_another) {
            self.unkept("its Sender is not its author");
        }
        let is_id = |id: &String| reply::is_message_id(id);
        let letter = &mut self.letter;
        letter.references = fields.identifiers("references", 40).into_iter().filter(is_id).collect();
        let parents: Vec<String> = fields.identifiers("in-reply-to", 20).into_iter().filter(is_id).collect();
        match parents.as_slice() {
            [] => {}
            [only] => letter.in_reply_to = Some(only.clone()),
            several => {
                let parents = several.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>();
                letter.fields.push(("In-Reply-To".to_owned(), parents.join(" ")));
            }
        }
    }

    /// The first reason stands.
    fn unkept(&mut self, problem: impl Into<String>) {
        self.unkept.get_or_insert_with(|| problem.into());
    }

    /// `pictures` are files that stood beside HTML in a multipart/related.
    fn finish(mut self, pictures: &[usize], cut: bool) -> Self {
        if cut {
            self.unkept("it has too many parts");
        }
        let Letter { text, html, files, passages, .. } = &mut self.letter;
        let names =
            |html: Option<&str>, id: &str| html.is_some_and(|html| html.contains(&format!("cid:{id}")));
        for (place, file) in files.iter_mut().enumerate() {
            let Some(id) = &file.content_id else { continue };
            if names(html.as_deref(), id) || (html.is_some() && pictures.contains(&place)) {
                file.in_place = false;
            } else if passages.iter().any(|passage| names(passage.html.as_deref(), id)) {
                file.in_place = true;
            } else if !file.in_place {
                file.content_id = None;
            }
        }
        if text.is_none() && html.is_none() {
            *text = Some(String::new());
        }
        self
    }

    /// The files of a message of which only the beginning was read: all its parts that are not its texts, in order.
    pub fn complete(&mut self, mut files: Vec<File>) {
        let known = self.letter.files.iter().map(|file| (file.content_id.clone(), file.in_place));
        let unknown = std::iter::repeat((None, false));
        for (file, (content_id, in_place)) in files.iter_mut().zip(known.chain(unknown)) {
            (file.content_id, file.in_place) = (content_id, in_place);
        }
        self.letter.files = files;
    }
}

struct Reader<'a> {
    nodes: HashMap<&'a str, Node<'a>>,
    /// It has one part only.
    single: bool,
    octets: &'a [u8],
    parsed: Parsed,
    /// Places of files that stand beside HTML in a multipart/related.
    pictures: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Node<'a> {
    Leaf(&'a Leaf),
    Multipart(&'a Part),
}

impl<'a> Reader<'a> {
    fn new(structure: &'a Structure, octets: &'a [u8], parsed: Parsed) -> Self {
        let multiparts =
            structure.multiparts.iter().map(|part| (part.section.as_str(), Node::Multipart(part)));
        // one without parts is a leaf
        let leaves = structure.leaves.iter().map(|leaf| (leaf.part.section.as_str(), Node::Leaf(leaf)));
        let single = structure.multiparts.is_empty();
        Self { nodes: multiparts.chain(leaves).collect(), single, octets, parsed, pictures: Vec::new() }
    }

    fn node(&self, section: &str) -> Option<Node<'a>> {
        let section = if section.is_empty() && self.single { "1" } else { section };
        self.nodes.get(section).copied()
    }

    /// Sections of a multipart's parts that are there.
    fn children(&self, section: &str) -> Vec<String> {
        let name = |number: usize| {
            if section.is_empty() { number.to_string() } else { format!("{section}.{number}") }
        };
        (1..=self.nodes.len()).map(name).take_while(|name| self.node(name).is_some()).collect()
    }

    /// A part of a multipart/mixed, or the message itself; `named` are parts that are files where they have a name.
    fn read(&mut self, section: &str, named: bool) {
        match self.node(section) {
            Some(Node::Leaf(leaf)) if self.single && is_sealed(&leaf.part) => {
                self.parsed.unkept("it is encrypted or signed");
            }
            Some(Node::Leaf(leaf)) if is_text(&leaf.part, named) => {
                let mut said = Passage::default();
                self.text(leaf, &mut said, false);
                self.say(said);
            }
            Some(Node::Leaf(leaf)) => {
                self.file(leaf);
            }
            Some(Node::Multipart(part)) => match part.media_type.as_str() {
                "multipart/mixed" => {
                    for (place, child) in self.children(section).iter().enumerate() {
                        self.read(child, named || place > 0);
                    }
                }
                "multipart/alternative" | "multipart/related" => {
                    let mut said = Passage::default();
                    self.forms(section, &mut said, false);
                    self.say(said);
                }
                other => self.parsed.unkept(reason(other)),
            },
            None => {}
        }
    }

    /// What one text says in its forms; `joined`: HTML in several pieces, with files between them.
    fn forms(&mut self, section: &str, said: &mut Passage, joined: bool) {
        match self.node(section) {
            Some(Node::Leaf(leaf)) if is_text(&leaf.part, joined) => self.text(leaf, said, joined),
            Some(Node::Leaf(leaf)) if joined => {
                self.file(leaf);
            }
            Some(Node::Leaf(leaf)) => {
                let kind = shorten(&leaf.part.media_type);
                self.parsed.unkept(format!("{kind} is an alternative of its text"));
            }
            Some(Node::Multipart(part)) => match part.media_type.as_str() {
                "multipart/related" => self.related(part, said, joined),
                "multipart/alternative" => {
                    for child in self.children(section) {
                        self.forms(&child, said, false);
                    }
                }
                "multipart/mixed" => {
                    for child in self.children(section) {
                        self.forms(&child, said, true);
                    }
                }
                other => self.parsed.unkept(reason(other)),
            },
            None => {}
        }
    }

    /// RFC 2387: the first part is the text, unless the type names another.
    fn related(&mut self, part: &Part, said: &mut Passage, joined: bool) {
        let children = self.children(&part.section);
        let Some((root, others)) = children.split_first() else { return };
        let id = |part: &Part| part.content_id.as_deref().map(bare).map(ToOwned::to_owned);
        if let Some(start) = part.parameter("start")
            && let Some(Node::Leaf(first)) = self.node(root)
            && id(&first.part).is_some_and(|id| id != bare(start))
        {
            self.parsed.unkept("its text is not its first part");
        }
        self.forms(root, said, joined);
        for other in others {
            match self.node(other) {
                Some(Node::Leaf(leaf)) => {
                    let place = self.file(leaf);
                    self.pictures.extend(place);
                }
                _ => self.parsed.unkept("a part of it stands within another"),
            }
        }
    }

    fn text(&mut self, leaf: &Leaf, said: &mut Passage, joined: bool) {
        let part = &leaf.part;
        self.parsed.texts.push(part.section.clone());
        self.parsed.open |= !leaf.closed;
        let is_html = part.media_type == "text/html";
        let octets = transfer::undone(&self.octets[leaf.body.clone()], &part.encoding);
        let text = charset::text(&octets, part.parameter("charset"), is_html);
        let is = |name: &str, value: &str| {
            part.parameter(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
        };
        if is_html {
            match (sanitised(&text), &mut said.html) {
                (Err(problem), _) => self.parsed.unkept(problem.to_string()),
                (Ok(html), None) => said.html = Some(html),
                (Ok(html), Some(before)) if joined => before.push_str(&html),
                _ => self.parsed.unkept("its text has several forms of one kind"),
            }
        } else if said.text.is_some() || joined {
            self.parsed.unkept("its text has several forms of one kind");
        } else if is("format", "flowed") {
            said.text = Some(flowed::decode(&text, is("delsp", "yes")));
        } else {
            said.text = Some(text.replace("\r\n", "\n"));
        }
    }

    /// The first text is the letter's, every other one stands behind the files that came before it.
    fn say(&mut self, said: Passage) {
        let letter = &mut self.parsed.letter;
        let says_nothing = [&said.text, &said.html].into_iter().flatten().all(|text| text.trim().is_empty());
        if letter.text.is_none() && letter.html.is_none() {
            (letter.text, letter.html) = (said.text, said.html);
        } else if !says_nothing {
            letter.passages.push(Passage { behind: letter.files.len(), ..said });
        }
    }

    /// Its place among the files.
    fn file(&mut self, leaf: &Leaf) -> Option<usize> {
        let part = &leaf.part;
        if part.media_type.starts_with("multipart/") {
            self.parsed.unkept(reason(&part.media_type));
            return None;
        }
        let files = &mut self.parsed.letter.files;
        let octets = transfer::decoded(&self.octets[leaf.body.clone()], &part.encoding);
        files.push(file_of(files.len(), part, Content::Memory(octets.into())));
        Some(files.len() - 1)
    }
}

/// A part as a file among a letter's; its place there names it where nothing else does.
pub fn file_of(place: usize, part: &Part, content: Content) -> File {
    File {
        content_id: part.content_id.as_deref().map(|id| bare(id).to_owned()),
        parameters: part::parameters(part),
        in_place: part.disposition.as_deref() == Some("inline"),
        ..File::new(attachment::name_of(place, part), part.media_type.clone(), content)
    }
}

fn bare(id: &str) -> &str {
    id.trim_matches(['<', '>', ' '])
}

/// A text that is shown; one with a name is a file, unless it is the first of all.
pub(crate) fn is_text(part: &Part, named: bool) -> bool {
    matches!(part.media_type.as_str(), "text/plain" | "text/html")
        && part.disposition.as_deref() != Some("attachment")
        && !(named && attachment::filename(part).is_some())
}

/// S/MIME (RFC 8551 §3).
fn is_sealed(part: &Part) -> bool {
    matches!(part.media_type.as_str(), "application/pkcs7-mime" | "application/x-pkcs7-mime")
}

fn reason(multipart: &str) -> String {
    match multipart {
        "multipart/signed" => "it is signed".to_owned(),
        "multipart/encrypted" => "it is encrypted".to_owned(),
        other => format!("it holds a {}", shorten(other)),
    }
}

fn named(address: &Address) -> Option<NamedAddress> {
    let name = address.name.as_deref().map(header::text);
    NamedAddress::new(name.as_deref(), &address.email).ok()
}
