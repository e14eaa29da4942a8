//! `style` attributes that may go out: how text looks, never where it lies or what it loads (CSS Syntax 3).

use crate::trust::css;
use std::fmt::Write as _;

/// Octets of one value.
const MAX_VALUE: usize = 300;

/// Properties that change how an element looks in its own place. What is not named here is dropped, known or not:
/// positions, transforms, shadows and outlines are laid over other text, contents and behaviours are loaded.
const LOOKS: [&str; 50] = [
    "background",
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-width",
    "box-sizing",
    "caption-side",
    "clear",
    "color",
    "direction",
    "display",
    "empty-cells",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style",
    "list-style-position",
    "list-style-type",
    "margin",
    "opacity",
    "overflow",
    "padding",
    "width",
];
/// Beginnings of further ones.
const FAMILIES: [&str; 9] = [
    "margin-",
    "padding-",
    "text-",
    "word-",
    "max-",
    "min-",
    "white-space",
    "vertical-align",
    "overflow-wrap",
];
/// Of those families, what is laid over other text or draws it twice.
const OVERLAYS: [&str; 2] = ["text-shadow", "text-stroke"];
/// Functions that make a colour and nothing else.
const COLOURS: [&str; 4] = ["rgb", "rgba", "hsl", "hsla"];

/// The declarations of a `style` attribute that do no more than change how text looks, written anew.
pub(super) fn harmless(style: &str) -> String {
    let mut out = String::with_capacity(style.len());
    for stated in css::stated(style).iter().filter(|stated| looks(&stated.name) && is_harmless(&stated.value))
    {
        let (name, value) = (&stated.name, &stated.value);
        let (before, behind) =
            (if out.is_empty() { "" } else { ";" }, if stated.important { " !important" } else { "" });
        // writing to a string does not fail
        let _ = write!(out, "{before}{name}:{value}{behind}");
    }
    out
}

fn looks(name: &str) -> bool {
    LOOKS.binary_search(&name).is_ok()
        || FAMILIES.iter().any(|family| name.starts_with(family)) && !OVERLAYS.contains(&name)
}

/// Words, numbers, quoted names and colours; no address, no other function, and no number below zero, which would move
/// text over other text.
fn is_harmless(value: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " \"'#.,%()+-/!_\t\n\r".contains(c);
    let mut function = String::new();
    let mut before = ' ';
    for c in value.chars() {
        let calls = c == '(' && !COLOURS.contains(&&*function);
        let negative = before == '-' && (c.is_ascii_digit() || c == '.') && !is_name(&function);
        if !plain(c) || calls || negative {
            return false;
        }
        if c.is_alphanumeric() || matches!(c, '-' | '_') {
            function.push(c);
        } else {
            function.clear();
        }
        before = c;
    }
    !value.is_empty() && value.len() <= MAX_VALUE
}

/// Whether a hyphen at the end stands within a name (`segoe-2`) and not before a number.
fn is_name(word: &str) -> bool {
    word.trim_end_matches('-').chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(LOOKS.is_sorted());
    }

    #[test]
    fn what_looks_stays() {
        for kept in [
            "color:#c00;font-weight:bold",
            "background:rgb(255, 255, 204);padding:2px 4px",
            "margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex",
            "font-family:\"segoe ui\",arial,sans-serif",
            "font:italic 12px/1.5 georgia,serif;text-align:center",
            "width:100%;max-width:600px;vertical-align:top;white-space:pre-wrap",
            "border-collapse:collapse",
        ] {
            assert_eq!(harmless(kept), kept);
        }
        assert_eq!(harmless(" COLOR : Red !important ; ; x"), "color:red !important");
    }

    #[test]
    fn what_lies_over_other_text_or_loads_goes() {
        for bad in [
            "position:fixed;top:0;left:0",
            "position:absolute",
            "POSITION: sticky",
            "p\\6fsition:fixed",
            "pos/**/ition:fixed;po\\sition:fixed",
            "inset:0;z-index:99",
            "transform:translate(-10px)",
            "margin-top:-200px",
            "margin:0 -.5em",
            "text-indent:-9999px",
            "background:url(https://evil.example/a.gif)",
            "background:u\\72l(//evil.example/a)",
            "background-image:url(//evil.example/a)",
            "background:red image-set('//evil.example/a' 1x)",
            "list-style:url(//evil.example/a)",
            "border-image:url(//evil.example/a) 1",
            "cursor:url(//evil.example/a),auto",
            "content:url(//evil.example/a)",
            "width:expression(alert(1))",
            "behavior:url(x.htc);-moz-binding:url(x)",
            "color:var(--x)",
            "width:calc(100% + 5px)",
            "box-shadow:0 0 0 999px #fff",
            "outline:999px solid #fff",
            "text-shadow:0 9px #000",
            "@import 'x'",
            "filter:url(#x)",
            "background:src('//evil.example')",
            "color:red}body{display:none",
        ] {
            assert_eq!(harmless(bad), "", "{bad}");
        }
        assert_eq!(harmless("color:red;background:url(x;y:z);width:1px"), "color:red;width:1px");
    }
}
