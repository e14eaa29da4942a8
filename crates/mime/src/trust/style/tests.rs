use super::*;
use crate::trust::css::Attributes;
use scraper::Html;

fn seen(style: &str) -> bool {
    let page = Html::parse_fragment(&format!("<p style=\"{style}\">t</p>"));
    let selector = scraper::Selector::parse("p").unwrap();
    let element = page.select(&selector).next().unwrap();
    let inline = Attributes::default().declarations(style);
    enter(element, &inline, &Sheets::default(), Context::default())
        .is_some_and(|context| context.shows_text())
}

/// Ways to hide a text.
const HIDING: [&str; 71] = [
    "color:#fff;background:rgba(255,255,255,.2)",
    "color:rgba(255,255,255,.9)",
    "color:rgba(0,0,0,.03)",
    "color:#00000008",
    "color:lightgoldenrodyellow;background:ivory",
    "color:#fff;background-image:none",
    "color:#fff;background:linear-gradient(#fff,#fefefe)",
    "position:absolute;top:-300px",
    "position:absolute;left:100%",
    "position:fixed;left:100vw",
    "margin-left:100vw",
    "display:none",
    "display:none!important;display:block",
    "visibility:hidden",
    "opacity:0",
    "opacity:1%",
    "font-size:0",
    "font-size:0px",
    "font-size:0.1em",
    "font-size:1px",
    "font:0/0 a",
    "font-size:calc(0px + 1px)",
    "max-height:0;overflow:hidden",
    "width:1px;height:1px;overflow:hidden",
    "height:0%;overflow:hidden",
    "color:#fff",
    "color:white;background:url(x) white",
    "color:#fefefe;background-color:#fff",
    "color:black;background:linear-gradient(#000,#000)",
    "color:transparent",
    "color:rgba(0,0,0,0.01)",
    "-webkit-text-fill-color:transparent",
    "text-indent:-9999px",
    "position:absolute;left:-9999px",
    "position:absolute;top:-100em",
    "position:fixed;left:99999px",
    "margin-left:-2000px",
    "position:absolute;clip:rect(0, 0, 0, 0)",
    "clip-path:inset(50%)",
    "transform:scale(0)",
    "transform:translateX(-9999px)",
    "filter:opacity(0)",
    "content-visibility:hidden",
    "padding-left:9999px",
    "padding:0 0 0 99999px",
    "padding:99999px 0 0",
    "padding:99999px",
    "margin:0 0 0 -9999px",
    "margin:0 9999px",
    "margin-top:99999px",
    "margin-left:-300%",
    "margin:-9999em auto",
    "padding-inline-start:900em",
    "position:relative;top:99999px",
    "position:absolute;right:99999px",
    "position:absolute;bottom:99999px",
    "position:absolute;inset:-9999px auto auto 0",
    "position:absolute;left:calc(0px - 9999px)",
    "text-indent:99999px;white-space:nowrap",
    "text-indent:-200%",
    "overflow:auto;height:0",
    "overflow:hidden;width:0",
    "block-size:0;overflow:hidden",
    "letter-spacing:-1em",
    "transform:translate(-5000%, 0)",
    "transform:matrix(0,0,0,0,0,0)",
    "transform:rotateX(90deg)",
    "transform:scale(0%)",
    "translate:-9999px 0",
    "scale:0",
    "display:var(--x)",
];

#[test]
fn every_known_way_to_hide_hides() {
    for style in HIDING {
        assert!(!seen(style), "{style}");
    }
}

/// Styles of honest mail.
const ORDINARY: [&str; 44] = [
    "mso-hide:all",
    "mso-hide:all;font-size:0.8em",
    "color:#fff;background:midnightblue",
    "color:#fff;background:url(https://a.example/x.png)",
    "color:#fff;background-image:url('https://a.example/x.png')",
    "color:#fff;background:linear-gradient(#fff,#036)",
    "color:#000;background:rgba(0,0,0,.1)",
    "color:rgba(0,0,0,.4)",
    "position:relative;clip:rect(0,0,0,0)",
    "position:absolute;top:-20px",
    "font-size:0.9em",
    "font-size:11px",
    "font-size:80%",
    "font:12px/1.5 Arial",
    "max-height:0",
    "overflow:hidden",
    "height:0",
    "color:#fff;background:#000",
    "color:#fff;background:url(x) no-repeat #123456",
    "color:#999",
    "opacity:.7",
    "margin-left:-10px",
    "margin:0 auto",
    "margin:20px 0 40px 10%",
    "margin-left:-100%;float:left",
    "padding:60px 600px",
    "padding:10% 5%",
    "padding-top:56.25%",
    "position:relative;left:10px;top:-3px",
    "position:absolute;inset:0",
    "letter-spacing:-0.02em",
    "letter-spacing:3px",
    "overflow:auto;height:300px",
    "transform:translate(-50%,-50%)",
    "transform:matrix(1,0,0,1,10,10)",
    "transform:rotate(90deg)",
    "scale:1.1",
    "text-indent:2em",
    "left:-9999px",
    "display:none;display:block",
    "width:100%;overflow:hidden",
    "max-width:600px;overflow:hidden",
    "transform:scale(1.1)",
    "color:inherit",
];

#[test]
fn ordinary_styles_hide_nothing() {
    for style in ORDINARY {
        assert!(seen(style), "{style}");
    }
}
