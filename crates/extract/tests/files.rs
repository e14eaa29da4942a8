//! Every format, and hostile files, through a real worker process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_extract::{Document, ExtractError, Extractor, Request, worker};
use std::{
    io::{Cursor, Write},
    time::{Duration, Instant},
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// Not a test: the program that [`extractor`] starts for each file.
#[test]
#[ignore = "it is the worker"]
fn the_worker() {
    std::process::exit(worker::main().into());
}

fn extractor() -> Extractor {
    let arguments = ["the_worker", "--exact", "--ignored", "--nocapture"];
    Extractor::worker(std::env::current_exe().unwrap(), arguments.map(Into::into).to_vec())
}

async fn read(filename: &str, octets: impl Into<Vec<u8>>) -> Result<Document, ExtractError> {
    read_pages(filename, octets, None).await
}

async fn read_pages(
    filename: &str,
    octets: impl Into<Vec<u8>>,
    pages: Option<(u32, u32)>,
) -> Result<Document, ExtractError> {
    let octets: Vec<u8> = octets.into();
    let request = Request {
        filename: filename.to_owned(),
        content_type: "application/octet-stream".to_owned(),
        charset: None,
        pages,
        octets: octets.into(),
    };
    extractor().text(request).await
}

fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A PDF with one line of text on each page.
fn pdf(lines: &[&str]) -> Vec<u8> {
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
    let kids: Vec<String> = (0..lines.len()).map(|page| format!("{} 0 R", 4 + page * 2)).collect();
    objects.push(format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), lines.len()));
    objects
        .push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned());
    for (page, line) in lines.iter().enumerate() {
        let content = format!("BT /F1 12 Tf 72 700 Td ({line}) Tj ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            5 + page * 2
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend([format!("{} 0 obj\n{object}\nendobj\n", number + 1)]);
    }
    let start = out.len();
    out.extend([format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1)]);
    for place in places {
        out.extend([format!("{place:010} 00000 n \n")]);
    }
    out.extend([format!(
        "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    )]);
    out.into_bytes()
}

#[tokio::test]
async fn pages_of_a_pdf_are_read_one_by_one() {
    let file = pdf(&["First page", "Second page", "Third page"]);
    let whole = read("a.pdf", file.clone()).await.unwrap();
    assert_eq!((whole.kind.as_str(), whole.pages), ("pdf", Some(3)));
    assert!(whole.text.contains("## Page 1") && whole.text.contains("Third page"), "{}", whole.text);
    let second = read_pages("a.pdf", file.clone(), Some((2, 2))).await.unwrap();
    assert!(second.text.contains("Second page") && !second.text.contains("First page"), "{}", second.text);
    assert_eq!(read_pages("a.pdf", file, Some((4, 9))).await, Err(ExtractError::NoSuchPage));
}

const WORD: &str = r#"<w:document xmlns:w="w"><w:body>
<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Title &amp; more</w:t></w:r></w:p>
<w:p><w:r><w:t xml:space="preserve">One </w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>HIDDEN</w:t></w:r><w:r><w:t>two</w:t></w:r></w:p>
<w:p><w:del><w:r><w:delText>DELETED</w:delText></w:r></w:del></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
</w:body></w:document>"#;

#[tokio::test]
async fn a_letter_is_read_without_what_is_hidden_in_it() {
    let document = read("a.docx", archive(&[("word/document.xml", WORD)])).await.unwrap();
    assert_eq!(document.kind, "docx");
    assert!(
        document.text.contains("# Title & more") && document.text.contains("One two"),
        "{}",
        document.text
    );
    assert!(document.text.contains("a | b |"), "{}", document.text);
    assert!(!document.text.contains("HIDDEN") && !document.text.contains("DELETED"), "{}", document.text);
}

#[tokio::test]
async fn slides_come_in_their_order() {
    let slide = |text: &str| {
        format!("<p:sld xmlns:p=\"p\" xmlns:a=\"a\"><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>")
    };
    let (two, ten) = (slide("second"), slide("tenth"));
    let file = archive(&[
        ("ppt/presentation.xml", "<x/>"),
        ("ppt/slides/slide10.xml", &ten),
        ("ppt/slides/slide2.xml", &two),
    ]);
    let document = read("a.pptx", file).await.unwrap();
    assert_eq!((document.kind.as_str(), document.pages), ("pptx", Some(2)));
    assert!(document.text.find("second").unwrap() < document.text.find("tenth").unwrap());
}

#[tokio::test]
async fn cells_of_a_sheet_are_parted_by_tabs() {
    let file = archive(&[
        (
            "[Content_Types].xml",
            r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#,
        ),
        (
            "_rels/.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Prices" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
        (
            "xl/worksheets/sheet1.xml",
            r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Tea</t></is></c><c r="B1"><v>3</v></c></row></sheetData></worksheet>"#,
        ),
    ]);
    let document = read("a.xlsx", file).await.unwrap();
    assert_eq!(document.kind, "xlsx");
    assert!(
        document.text.contains("## Sheet 1: Prices") && document.text.contains("Tea\t3"),
        "{}",
        document.text
    );
}

#[tokio::test]
async fn plain_formats_are_read_by_what_they_are() {
    for (name, octets, kind, text) in [
        ("a.csv", "x;y\n1;2".as_bytes().to_vec(), "text", "x;y\n1;2"),
        ("a.txt", b"caf\xe9".to_vec(), "text", "café"),
        ("a.txt", b"\xff\xfeh\0i\0".to_vec(), "text", "hi"),
        ("a.html", b"<p>Hello <span style='display:none'>HIDDEN</span>you</p>".to_vec(), "html", "Hello you"),
        ("a.eml", b"Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHi".to_vec(), "eml", "Subject: Grüße"),
    ] {
        let document = read(name, octets).await.unwrap();
        assert_eq!(document.kind, kind, "{name}");
        assert!(
            document.text.contains(text) && !document.text.contains("HIDDEN"),
            "{name}: {}",
            document.text
        );
    }
    let list = read("a.zip", archive(&[("inner/b.txt", "hello"), ("c\u{202e}d", "x")])).await.unwrap();
    assert!(list.text.contains("inner/b.txt (5 octets)") && !list.text.contains('\u{202e}'), "{}", list.text);
    let events = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Lunch\r\nDTSTART:20261122T120000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    assert!(read("a.ics", events).await.unwrap().text.contains("Lunch"));
}

#[tokio::test]
async fn what_cannot_be_read_says_why() {
    for (name, octets, error) in [
        ("a.bin", vec![0, 1, 2, 3, 0, 0, 0, 9], ExtractError::Unsupported),
        ("a.doc", vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1], ExtractError::Unsupported),
        ("a.pdf", b"%PDF-1.7 broken".to_vec(), ExtractError::Damaged),
        ("a.docx", b"PK\x03\x04broken".to_vec(), ExtractError::Damaged),
    ] {
        assert_eq!(read(name, octets).await, Err(error), "{name}");
    }
}

#[tokio::test]
async fn a_bomb_fills_nothing_and_holds_nothing_up() {
    // 2 GB of nothing in 2 MB
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..256 {
        zip.write_all(&zeros).unwrap();
    }
    let bomb = zip.finish().unwrap().into_inner();
    let deep = format!("{}{}", "<a>".repeat(300_000), "</a>".repeat(300_000));
    let nested = format!("%PDF-1.4\n1 0 obj\n{}{}\nendobj\n", "[".repeat(200_000), "]".repeat(200_000));
    let started = Instant::now();
    for (name, octets) in [
        ("bomb.docx", bomb),
        ("deep.docx", archive(&[("word/document.xml", deep.as_str())])),
        ("nested.pdf", nested.into_bytes()),
    ] {
        let outcome = read(name, octets).await;
        assert!(
            matches!(outcome, Err(ExtractError::TooHard | ExtractError::Damaged))
                || outcome.as_ref().is_ok_and(|document| document.text.len() < 100),
            "{name}: {outcome:?}"
        );
    }
    assert!(started.elapsed() < Duration::from_secs(40));
    assert_eq!(read("a.txt", "still here").await.unwrap().text, "still here");
}

#[tokio::test]
async fn pictures_are_scaled_and_written_anew() {
    let picture =
        image::RgbImage::from_fn(1800, 450, |x, y| image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 0]));
    let mut png = Vec::new();
    picture.write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    png.extend_from_slice(b"trailing secret");
    let shown = extractor().picture(png.into()).await.unwrap();
    assert_eq!(shown.media_type, "image/jpeg");
    let read = image::load_from_memory(&shown.octets).unwrap();
    assert_eq!((read.width(), read.height()), (1568, 392));
    assert_eq!(extractor().picture("no picture".into()).await, Err(ExtractError::Damaged));
}
