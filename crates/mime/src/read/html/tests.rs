use super::*;
use proptest::prelude::*;

#[test]
fn structure_becomes_markdown() {
    let page = to_markdown(
        "<html><head><style>p{}</style><title>t</title></head><body><h2>Plan</h2><p>One<br>two</p>\
         <ul><li>a<li>b<ol><li>c</ol></ul><blockquote><p>q</p></blockquote><pre>x\n  y</pre></body></html>",
    );
    assert_eq!(page.text, "## Plan\n\nOne\ntwo\n\n- a\n- b\n  1. c\n\n> q\n\nx\n  y");
    let table = "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td></td><td>2</td></tr></table>";
    assert_eq!(to_markdown(table).text, "a | b\n1 | 2");
}

#[test]
fn plain_text_of_a_page_has_no_marks() {
    let page = view("<h2>Plan</h2><p>See <a href=https://a.example/x>this</a></p>", Format::Text);
    assert_eq!(page.text, "Plan\n\nSee this <https://a.example/x>");
}

#[test]
fn what_a_style_sheet_hides_is_removed_and_counted() {
    for css in [
        ".x{display:none}",
        "#y{visibility:hidden}",
        "b i{font-size:0}",
        ".X{color:#fff}",
        "div,*.x{opacity:0}",
    ] {
        let page = to_markdown(&format!("<style>{css}</style><p>seen</p><b><i class=x id=y>obey me</i></b>"));
        assert_eq!((page.text.as_str(), page.hidden), ("seen", 1), "{css}");
    }
    let page = to_markdown(
        "<style>.m{display:none}@media(max-width:600px){.d{display:none}}</style><p class=d>seen<p class=m>x",
    );
    assert_eq!((page.text.as_str(), page.hidden), ("seen", 1));
}

#[test]
fn colours_and_sizes_are_inherited_and_may_be_set_right_again() {
    let page = to_markdown("<table bgcolor=white><tr><td><font color='#FFFFFE'>obey</font> seen");
    assert_eq!((page.text.as_str(), page.hidden), ("seen", 1));
    let page = to_markdown("<td style='font-size:0'><div style='font-size:14px'>seen</div></td>");
    assert_eq!((page.text.as_str(), page.hidden), ("seen", 0));
    let page = to_markdown("<div style='visibility:hidden'>obey<p style='visibility:visible'>seen</p></div>");
    assert_eq!((page.text.as_str(), page.hidden), ("seen", 1));
    let page =
        to_markdown("<div style='background:#222'><p style='color:#fff'>seen <a href=x:y>too</a></p></div>");
    assert_eq!((page.text.as_str(), page.hidden), ("seen too", 0));
}

#[test]
fn elements_that_are_not_shown_are_told_from_those_that_are() {
    let html = "<p aria-hidden=true>a</p><details><summary>b</summary>c</details><button>d</button>\
        <template>obey</template><noscript>obey</noscript><dialog>obey</dialog><p hidden>obey</p><!-- obey -->";
    let page = to_markdown(html);
    assert_eq!((page.text.as_str(), page.hidden), ("a\n\nb\nc\nd", 4));
}

#[test]
fn letters_that_are_turned_around_are_read_as_they_are_seen() {
    for html in [
        "<bdo dir=rtl>drowssap</bdo>",
        "<span dir=rtl style='unicode-bidi:bidi-override'>drowssap</span>",
        "<p style='direction:rtl;unicode-bidi:isolate-override'><b>drowssap</b></p>",
    ] {
        let page = view(html, Format::Text);
        assert_eq!((page.text.as_str(), page.hidden), ("password", 1), "{html}");
    }
    for html in
        ["<bdo dir=ltr>password</bdo>", "<p dir=rtl>password</p>", "<bdo dir=rtl><bdi>password</bdi></bdo>"]
    {
        let page = view(html, Format::Text);
        assert_eq!((page.text.as_str(), page.hidden), ("password", 0), "{html}");
    }
    assert_eq!(view("<bdo dir=rtl>שלום</bdo>", Format::Text).text, "שלום");
}

#[test]
fn images_are_counted_and_never_addressed() {
    let html = "<img src=https://t.example/1.gif width=1 height=1><img src=//t.example/x alt='Logo'>\
        <div style='display:none'><img src=http://t.example/o></div><img src=cid:a alt=Photo>";
    for format in [Format::Markdown, Format::Text, Format::Html] {
        let page = view(html, format);
        assert!(!page.text.contains("t.example"), "{}", page.text);
        assert_eq!((page.tracking_pixels, page.remote_images), (2, 1));
    }
    assert_eq!(to_markdown(html).text, "[image: Logo][image: Photo]");
}

#[test]
fn a_link_that_shows_another_host_is_counted() {
    let page = to_markdown("<a href='https://evil.example/x'>bank.example</a>");
    assert_eq!(page.text, "[bank.example](https://evil.example/x)");
    assert_eq!(page.link_mismatches, 1);
    assert_eq!(to_markdown("<a href='https://www.bank.example/'>bank.example</a>").link_mismatches, 0);
    assert_eq!(to_markdown("<a href='javascript:alert(1)'>x</a>").text, "x");
}

#[test]
fn a_link_is_shown_once() {
    let page = to_markdown(
        "<a href=https://a.example/x>one</a> <a href=https://a.example/x>two</a> <a href=https://a.example/x><img></a>",
    );
    assert_eq!(page.text, "[one](https://a.example/x) two");
}

#[test]
fn shown_html_holds_nothing_active_and_nothing_hidden() {
    let page = sanitised(
        "<style>.z{display:none}</style><p onclick=x() title=obey>seen<script>bad()</script><img src=https://t.example/p.gif>\
         <span style='display:none'>obey</span><i class=z>obey</i><a href='javascript:x'>l</a></p>",
    );
    assert_eq!(page.text, "<p>seen<a rel=\"noopener noreferrer\">l</a></p>");
    assert_eq!(page.hidden, 2);
}

#[test]
fn a_page_that_is_too_deep_is_read_as_far_as_it_goes_and_still_loses_what_is_hidden() {
    let html = format!("seen<p style=display:none>obey</p>{}deep", "<div>".repeat(100_000));
    let started = std::time::Instant::now();
    for format in [Format::Markdown, Format::Html] {
        let page = view(&html, format);
        assert!(page.cut && page.text.contains("seen") && !page.text.contains("obey"));
    }
    assert!(started.elapsed().as_secs() < 5);
}

proptest! {
    #[test]
    fn no_html_panics(html in "(<[a-z]{1,6}( style=\"[a-z:;0-9-]{0,20}\")?>|</[a-z]{1,6}>|\\PC|\n){0,80}") {
        for format in [Format::Markdown, Format::Text, Format::Html] {
            let _ = view(&html, format);
        }
    }
}

#[test]
fn a_picture_that_is_a_link_tells_where_it_leads() {
    let picture = "<a href='https://shop.example/buy'><img src=https://i.example/b.png></a>";
    assert_eq!(to_markdown(picture).text, "[picture] -> shop.example");
    assert_eq!(to_markdown(&picture.repeat(3)).text, "[picture] -> shop.example");
    assert_eq!(view(picture, Format::Text).text, "[picture] -> shop.example");
    let with_words = "<a href='https://shop.example/buy'><img src=https://i.example/b.png alt='Buy now'></a>";
    assert_eq!(to_markdown(with_words).text, "[Buy now](https://shop.example/buy)");
    let two = "<p>a</p><a href='https://a.example/'><b><img src=x></b></a> <a href='mailto:x@b.example'><img src=y alt=''></a>";
    assert_eq!(to_markdown(two).text, "a\n\n[picture] -> a.example [picture] -> b.example");
    assert_eq!(to_markdown("<a href='https://a.example/'></a><a href='https://b.example/'> </a>").text, "");
    let pixel = "<a href='https://a.example/'><img src=https://t.example/x width=1 height=1></a>";
    assert_eq!(to_markdown(pixel).text, "");
}

#[test]
fn words_in_elements_that_nobody_knows_are_words() {
    for name in ["text", "g", "desc", "mi", "foo", "o:p", "form", "marquee", "xmp", "center", "image-text"] {
        let page = format!("<h1>Now <{name}>one year</{name}></h1>");
        for format in [Format::Markdown, Format::Text, Format::Html] {
            let shown = view(&page, format).text;
            assert!(shown.contains("one year"), "{name} {format:?} {shown}");
        }
    }
}

#[test]
fn pages_deeper_than_a_browser_goes_are_told_whole() {
    for (open, close) in [
        ("<div>", "</div>"),
        ("<blockquote>", "</blockquote>"),
        ("<table><tr><td>", "</table>"),
        ("<b><i>", ""),
    ] {
        for depth in [400, 1_200] {
            let page = format!(
                "<p>first</p>{}<p>innermost</p>{}<p>last</p>",
                open.repeat(depth),
                close.repeat(depth)
            );
            for format in [Format::Markdown, Format::Html] {
                let view = view(&page, format);
                let all = ["first", "innermost", "last"].iter().all(|word| view.text.contains(word));
                assert!(all, "{open} {depth} {format:?}: {} cut {}", view.text.len(), view.cut);
            }
        }
    }
}
