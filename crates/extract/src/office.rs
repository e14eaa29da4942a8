//! DOCX and PPTX (ECMA-376): the text of their XML, hidden runs and deleted text left out.

use crate::{ExtractError, archive, job::Text};
use quick_xml::{Reader, events::Event};

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
    let (mut text, mut run) = (String::new(), String::new());
    let (mut in_text, mut hidden) = (false, false);
    loop {
        match reader.read_event().map_err(|_| ExtractError::Damaged)? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "pStyle" => {
                let style =
                    tag.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == "val");
                let style = style.map(|style| style.value.into_owned()).unwrap_or_default();
                if let Some(level) =
                    style.strip_prefix("Heading").and_then(|level| level.parse::<usize>().ok())
                {
                    text.push_str(&"#".repeat(level.clamp(1, 6)));
                    text.push(' ');
                }
            }
            Event::Start(tag) => match tag.local_name().as_ref() {
                "t" => in_text = true,
                "r" => {
                    run.clear();
                    hidden = false;
                }
                "tab" => run.push('\t'),
                "vanish" | "webHidden" => hidden = true,
                _ => {}
            },
            Event::Empty(tag) => match tag.local_name().as_ref() {
                "br" | "cr" => run.push('\n'),
                "tab" => run.push('\t'),
                "vanish" | "webHidden" => {
                    let off = tag.attributes().flatten().any(|attribute| {
                        attribute.key.local_name().as_ref() == "val"
                            && matches!(&*attribute.value, "0" | "false")
                    });
                    hidden = !off;
                }
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => in_text = false,
                "r" | "fld" => {
                    if !hidden {
                        text.push_str(&run);
                    }
                    run.clear();
                }
                "p" | "tr" => text.push('\n'),
                "tc" => {
                    text.truncate(text.trim_end_matches('\n').len());
                    text.push_str(" | ");
                }
                _ => {}
            },
            Event::Text(piece) if in_text => {
                run.push_str(&piece);
            }
            Event::GeneralRef(name) if in_text => run.push_str(match &*name {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                "apos" => "'",
                _ => "",
            }),
            Event::CData(piece) if in_text => run.push_str(&piece),
            Event::Eof => break,
            _ => {}
        }
        if text.len() > crate::MAX_TEXT {
            break;
        }
    }
    Ok(text)
}
