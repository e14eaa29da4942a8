//! HTML as a browser shows it: the words that Chromium lays out where a person sees them, against the words of a view.
//!
//! Every word of a page is `w` and a number of its own. Which of them are seen is measured by `render.js`, not stated here.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_mime::view::{self, Format};
use imapmcp_testkit::webdriver::Browser;
use serde_json::json;
use std::collections::BTreeSet;

/// Styles that hide, that look as if they did, and that do not. Sizes below a pixel are not in the unit `em`: of those
/// Chromium makes six pixels (a preference of its own).
const STYLES: &[&str] = &[
    "",
    "color:#888",
    "color:#fff",
    "color:white!important;color:#000",
    "color:rgba(0,0,0,.03)",
    "color:rgba(255,255,255,.98)",
    "color:transparent",
    "color:lightgoldenrodyellow",
    "color:#fff;background:#000",
    "color:#fff;background:midnightblue",
    "color:#fff;background:rgba(0,0,0,.02)",
    "color:#fff;background:rgba(0,0,0,.5)",
    "color:#fff;background:url(https://images.example/x.png)",
    "color:#000;background:#000",
    "color:#000;background:linear-gradient(#000,#000)",
    "color:#fff;background:linear-gradient(#fff,#036)",
    "color:#fff;background-color:#fefefe;background-image:none",
    "background:#123;color:#123",
    "background:#fff",
    "-webkit-text-fill-color:transparent",
    "display:none",
    "display:none;display:block",
    "display:block",
    "display:inline-block",
    "visibility:hidden",
    "visibility:visible",
    "opacity:0",
    "opacity:.01",
    "opacity:.5",
    "filter:opacity(0)",
    "font-size:0",
    "font-size:1px",
    "font-size:9px",
    "font:0/0 a",
    "mso-hide:all",
    "mso-hide:all;font-size:1em",
    "max-height:0;overflow:hidden",
    "max-height:0",
    "height:0;overflow:hidden",
    "width:0;overflow:hidden",
    "width:1px;height:1px;overflow:hidden;display:block",
    "height:300px;overflow:hidden",
    "line-height:0",
    "text-indent:-9999px",
    "text-indent:2em",
    "margin-left:-5px",
    "position:absolute;left:-9999px",
    "position:absolute;top:-900px",
    "position:absolute;left:150%",
    "position:absolute;left:100vw",
    "position:absolute;left:400px;top:300px",
    "position:relative;left:-9999px",
    "position:relative;left:3px",
    "left:-9999px",
    "position:absolute;clip:rect(0,0,0,0)",
    "position:relative;clip:rect(0,0,0,0)",
    "clip-path:inset(50%)",
    "clip-path:inset(0)",
    "clip-path:circle(0)",
    "transform:scale(0)",
    "transform:scale(.9)",
    "transform:translateX(-9999px)",
    "transform:rotate(3deg)",
    "content-visibility:hidden",
    "letter-spacing:2px",
    "text-transform:uppercase",
    "float:left;width:0;height:0;overflow:hidden",
];

/// Where a styled element stands. `$` is the element, `#` a word beside it.
const PLACES: &[&str] = &[
    "<p>#</p>$<p>#</p>",
    "<body bgcolor='#000000' text='#ffffff'>#<div>$</div>#",
    "<table bgcolor=white><tr><td>#<td>$</td><td>#</table>",
    "<div style='background:#003'><div style='background:rgba(255,255,255,.1);color:#fff'># $ #</div></div>",
];

/// Pages of their own: what authors and attackers build of several elements.
const PAGES: &[&str] = &[
    "<div hidden>#</div>#<p hidden style='display:block'>#",
    "<style>.a{display:none}.b{color:#fff}#c{opacity:0}</style><p class=a>#<p class=b>#<p id=c>#<p class='d'>#",
    "<style>@media(max-width:300px){.a{display:none}}@media print{.b{display:none}}</style><p class=a>#<p class=b>#",
    "<style>@media(min-width:300px){.a{display:none}}</style><p class=a>#<p>#",
    "<style>td{color:#fff}td b{color:#000}</style><table><tr><td>#<b>#</b></table>",
    "<div style='visibility:hidden'>#<p style='visibility:visible'>#</p></div>",
    "<div style='display:none'>#<p style='display:block;visibility:visible'>#</p></div>",
    "<div style='font-size:0'>#<span style='font-size:14px'>#</span></div>",
    "<div style='opacity:0'>#<b style='opacity:1'>#</b></div>",
    "<div style='color:#fff'>#<b style='color:inherit'>#</b><i style='color:initial'>#</i><a href=x:y>#</a></div>",
    "<div style='color:#fff;background:#fff'><div style='background:#000'>#</div>#</div>",
    "<div style='background:#fff'><div style='background:none;color:#fff'>#</div><span>#</span></div>",
    "<table><tr><td background='https://images.example/x.png'><font color=white>#</font></table>",
    "<table bgcolor=#222222><tr><td><font color=#ffffff>#</font><td bgcolor=#ffffff><font color=#ffffff>#</font></table>",
    "<font color=white>#<font color=black>#</font></font><font color='#FFFFFE'>#</font>",
    "<!--[if mso]><p>#</p><![endif]--><!--[if !mso]><!--><p>#</p><!--<![endif]-->",
    "<template>#</template><script>w0</script><noscript>#</noscript><title>#</title><p>#",
    "<dialog>#</dialog><dialog open>#</dialog><button>#</button><label>#</label><legend>#</legend>",
    "<h1>Now <text>#</text> <foo>#</foo> <o:p>#</o:p> <center>#</center></h1><marquee>#</marquee>",
    "<p>#<p>#<div>#<b>#<i>#</p>#</b>#</i>#",
    "<b>#<p>#</b>#</p><a href=https://a.example/>#<a href=https://b.example/>#<div>#",
    "<table>#<tr>#<td>#<table><td>#</table>#</table>#",
    "<ul><li>#<li>#<ol><li>#</ul>#<dl><dt>#<dd>#</dl>",
    "<pre>#\n  #</pre><blockquote>#<blockquote>#</blockquote></blockquote>",
    "<p style='color:#fff'>#<span style='background:#036'>#</span></p>",
    "<p style=\"display:none\"\">#</p><p>#",
    "<p style='display:/**/none'>#</p><p style='d\\69splay:none'>#</p><p style='display:n one'>#</p>",
    "<p style='DISPLAY:NONE'>#</p><P STYLE='Color:#FFF'>#</P><p style=display:none>#",
    "<div style='overflow:hidden;height:1px'><p>#</p></div><div style='overflow:hidden'><p>#</p></div>",
    "<div style='position:relative'><div style='position:absolute;left:-5000px'>#</div>#</div>",
    "<div style='width:1px;height:1px;overflow:hidden'><div style='width:900px'>#</div></div>#",
    "<style>*{color:#fff}</style><p>#</p><p style='color:#000'>#",
    "<style>p{display:none}p.x{display:block}</style><p>#<p class=x>#",
    "<style>body{background:#000;color:#fff}</style><p>#</p><p style='color:#000'>#",
    "<body style='background:#111;color:#eee'><p>#<p style='color:#111'>#",
    "<center><table width=600><tr><td align=center style='color:#999;font-size:11px'>#</table></center>",
    "<div style='line-height:1px;font-size:1px;color:#fff;max-height:0;opacity:0;overflow:hidden'>#</div>#",
    "<span style='width:0;height:0;overflow:hidden'>#</span><b style='transform:scale(0)'>#</b>#",
    "<div dir=rtl>#</div><p align=right>#</p><sup>#</sup><sub>#</sub><small>#</small>",
    "<iframe>#</iframe><video>#</video><canvas>#</canvas><p>#",
    "<div style='margin-left:-9999px'>#</div><div style='margin:0 0 0 -9999px'>#</div><b style='margin-top:-9999px'>#</b>",
    "<fieldset>#</fieldset><address>#</address><cite>#</cite>",
    "<div style='color:#ccc'>#</div><div style='color:#eee'>#</div><div style='color:#f4f4f4'>#</div>",
    "<div style='background:#fffffff0;color:#fff'>#</div><div style='background:#0006;color:#fff'>#</div>",
    "<div style='background:hwb(0 0% 100%);color:hwb(0 100% 0%)'>#</div><div style='color:hsl(0,0%,100%)'>#</div>",
    "<mark>#</mark><mark style='color:#ff0'>#</mark><a href=x:y style='color:#fff'>#</a>",
];

struct Page {
    html: String,
    words: BTreeSet<String>,
}

/// A page of a pattern, each `#` a word of its own.
fn page(pattern: &str, number: &mut usize) -> Page {
    let (mut html, mut words) = (String::new(), BTreeSet::new());
    let pieces: Vec<&str> = pattern.split('#').collect();
    for (at, piece) in pieces.iter().enumerate() {
        html.push_str(piece);
        // a colour or an identifier begins so too
        let next = pieces.get(at + 1);
        if next.is_some_and(|next| next.starts_with(|c: char| c.is_ascii_alphanumeric())) {
            html.push('#');
        } else if next.is_some() {
            *number += 1;
            let word = format!("w{number}");
            html.push_str(&word);
            words.insert(word);
        }
    }
    Page { html, words }
}

fn pages() -> Vec<Page> {
    let mut number = 100;
    let mut all: Vec<Page> = PAGES.iter().map(|pattern| page(pattern, &mut number)).collect();
    for (place, pattern) in PLACES.iter().enumerate() {
        for (at, style) in STYLES.iter().enumerate() {
            let name = ["div", "span", "p", "a", "font", "b"][(at + place) % 6];
            let element = format!("<{name} style='{style}'>#</{name}>");
            all.push(page(&pattern.replace('$', &element), &mut number));
        }
    }
    for depth in [350, 700, 1_200] {
        let deep = format!("#{}#{}#", "<div>".repeat(depth), "</div>".repeat(depth));
        all.push(page(&deep, &mut number));
    }
    all
}

/// The words that Chromium shows of each page.
fn seen(browser: &Browser, pages: &[Page]) -> Vec<BTreeSet<String>> {
    browser.open("about:blank");
    let html: Vec<&str> = pages.iter().map(|page| page.html.as_str()).collect();
    let script = format!(
        "const code = {}; const found = [];
         for (const html of {}) {{
             const frame = document.createElement('iframe');
             frame.style = 'position:absolute;left:0;top:0;border:0;width:1280px;height:5000px';
             document.body.append(frame);
             const inside = frame.contentDocument;
             inside.open(); inside.write(html); inside.close();
             found.push(frame.contentWindow.eval(code));
             frame.remove();
         }}
         return found;",
        json!(format!("{}words()", include_str!("render.js"))),
        json!(html)
    );
    serde_json::from_value(browser.script(&script)).unwrap()
}

/// The words of a view.
fn told(html: &str, format: Format) -> BTreeSet<String> {
    let message = [b"Content-Type: text/html; charset=utf-8\r\n\r\n", html.as_bytes()].concat();
    let text = view::of_message(&message, format).view.text;
    // words of neighbours in one line stand close together
    let numbers = text.split('w').skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    numbers.flatten().map(|number| format!("w{number}")).collect()
}

#[test]
fn a_view_has_the_words_that_a_browser_shows_and_no_others() {
    let Some(browser) = Browser::start() else { return };
    let pages = pages();
    assert!(pages.len() >= 200, "{}", pages.len());
    let shown = seen(&browser, &pages);
    let (mut wrong, mut hidden) = (Vec::new(), 0);
    for (page, seen) in pages.iter().zip(&shown) {
        hidden += page.words.len() - seen.len();
        for format in [Format::Markdown, Format::Text, Format::Html] {
            let told: BTreeSet<String> =
                told(&page.html, format).intersection(&page.words).cloned().collect();
            let lost: Vec<_> = seen.difference(&told).collect();
            let betrayed: Vec<_> = told.difference(seen).collect();
            if !lost.is_empty() || !betrayed.is_empty() {
                wrong.push(format!("{format:?} lost {lost:?} showed {betrayed:?}: {:.400}", page.html));
            }
        }
    }
    // the browser has to have hidden some and shown most, or it measured nothing
    let all: usize = pages.iter().map(|page| page.words.len()).sum();
    assert!(hidden > 80 && hidden * 2 < all, "{hidden} of {all} words are hidden");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), pages.len(), wrong.join("\n"));
}
