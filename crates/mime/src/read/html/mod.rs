//! HTML over a real tree: what a person would not see is removed and counted, links show where they go.
//!
//! The tree is an arena and the walk keeps its own stack, so depth costs no machine stack. Tree, style sheets and walk
//! are bounded in size, depth and time; what a bound cuts is not looked at, and that is told.

mod sanitise;
mod told;
mod walk;

pub(crate) use told::told;

use self::{
    sanitise::sanitise,
    walk::{Event, walk},
};
use super::{
    markdown::Writer,
    tree::{Deadline, tree_of},
};
use crate::format::{Format, View};

/// What a page says, as far as older callers ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Markdown, or HTML.
    pub text: String,
    /// Elements removed because a person would not see them.
    pub hidden: usize,
    /// Links whose text names another host than the one they lead to.
    pub link_mismatches: usize,
}

impl From<View> for Page {
    fn from(view: View) -> Self {
        Self { text: view.text, hidden: view.hidden, link_mismatches: view.link_mismatches.len() }
    }
}

/// Converts a message's HTML to Markdown.
pub fn to_markdown(html: &str) -> Page {
    view(html, Format::Markdown).into()
}

/// The HTML a person would see, fit for showing: sanitised by `ammonia` after hidden elements were taken out of the
/// tree. No scripts, styles, forms, SVG or MathML; nothing is loaded from elsewhere (images lose their source).
pub fn sanitised(html: &str) -> Page {
    view(html, Format::Html).into()
}

/// A page in the wanted format.
pub(crate) fn view(html: &str, format: Format) -> View {
    let (building, all) = Deadline::pair();
    let (document, cut) = tree_of(html, building);
    let mut view = View { cut, ..View::default() };
    if format == Format::Html {
        sanitise(document, all, &mut view);
        return view;
    }
    let mut writer = Writer::new(format);
    walk(&document, all, &mut view, |event, view| match event {
        Event::Open(element) => {
            writer.open(element);
            !writer.is_full()
        }
        Event::Close(element) => {
            writer.close(element, view);
            true
        }
        Event::Text(text) => {
            writer.words(&text);
            !writer.is_full()
        }
        Event::Image(alt) => {
            writer.image(&alt);
            true
        }
        Event::Hidden(_) => true,
    });
    view.cut |= writer.is_full();
    view.text = writer.finish();
    view
}

#[cfg(test)]
mod tests;
