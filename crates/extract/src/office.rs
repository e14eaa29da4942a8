//! DOCX and PPTX (ECMA-376): the text of their XML, hidden runs and deleted text left out.

use crate::{
    archive,
    error::ExtractError,
    pages::{MAX_TEXT, Text},
};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

/// Slides read.
const MAX_SLIDES: usize = 1000;

pub(crate) fn docx(octets: &[u8]) -> Result<Text, ExtractError> {
    let mut archive = archive::open(octets)?;
    let xml = archive::member(&mut archive, "word/document.xml")?;
    Ok(Text::whole("docx", paragraphs(&xml)?))
}

pub(crate) fn pptx(octets: &[u8]) -> Result<Text, ExtractError> {
    let mut archive = archive::open(octets)?;
    let number = |name: &str| -> Option<u32> {
        name.strip_prefix("ppt/slides/slide")?.strip_suffix(".xml")?.parse().ok()
    };
    let mut slides: Vec<(u32, String)> =
        archive.file_names().flatten().filter_map(|name| Some((number(&name)?, name.into_owned()))).collect();
    slides.sort_unstable();
    let cut = slides.len() > MAX_SLIDES;
    let mut pages = Vec::new();
    for (_, name) in slides.iter().take(MAX_SLIDES) {
        let xml = archive::member(&mut archive, name)?;
        pages.push((None, paragraphs(&xml)?));
    }
    Ok(Text { kind: "pptx", pages, unit: Some("Slide"), cut })
}

/// Paragraphs as lines, headings marked, cells of a table parted by a bar.
fn paragraphs(xml: &[u8]) -> Result<String, ExtractError> {
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().check_end_names = false;
    let mut page = Page::default();
    while page.text.len() <= MAX_TEXT {
        match reader.read_event().map_err(|_| ExtractError::Damaged)? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "pStyle" => {
                page.style(&tag);
            }
            Event::Start(tag) => page.start(tag.local_name().as_ref()),
            Event::Empty(tag) => page.empty(&tag),
            Event::End(tag) => page.end(tag.local_name().as_ref()),
            Event::Text(piece) if page.in_text => page.run.push_str(&piece),
            Event::CData(piece) if page.in_text => page.run.push_str(&piece),
            Event::GeneralRef(name) if page.in_text => page.run.push_str(entity(&name)),
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(page.text)
}

/// A page while it is read.
#[derive(Default)]
struct Page {
    text: String,
    /// Text of one look, which is hidden or seen as a whole.
    run: String,
    in_text: bool,
    hidden: bool,
}

impl Page {
    /// A paragraph's style: headings are marked.
    fn style(&mut self, tag: &BytesStart<'_>) {
        let style = value(tag).unwrap_or_default();
        let level = style.strip_prefix("Heading").and_then(|level| level.parse::<usize>().ok());
        if let Some(level) = level {
            self.text.push_str(&"#".repeat(level.clamp(1, 6)));
            self.text.push(' ');
        }
    }

    fn start(&mut self, name: &str) {
        match name {
            "t" => self.in_text = true,
            "r" => {
                self.run.clear();
                self.hidden = false;
            }
            "tab" => self.run.push('\t'),
            "vanish" | "webHidden" => self.hidden = true,
            _ => {}
        }
    }

    fn empty(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "br" | "cr" => self.run.push('\n'),
            "tab" => self.run.push('\t'),
            "vanish" | "webHidden" => {
                self.hidden = !value(tag).is_some_and(|value| matches!(value.as_str(), "0" | "false"));
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "r" | "fld" => {
                if !self.hidden {
                    self.text.push_str(&self.run);
                }
                self.run.clear();
            }
            "p" | "tr" => self.text.push('\n'),
            "tc" => {
                self.text.truncate(self.text.trim_end_matches('\n').len());
                self.text.push_str(" | ");
            }
            _ => {}
        }
    }
}

/// What an element's `val` says.
fn value(tag: &BytesStart<'_>) -> Option<String> {
    let value = tag.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == "val");
    value.map(|value| value.value.into_owned())
}

/// The entities that every XML has.
fn entity(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}
