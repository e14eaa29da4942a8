//! Templates compiled and rendered.

use crate::page::{Page, Shell, Template};
use std::{collections::HashMap, sync::Arc};
use tera::{Context, Tera, Value};

/// Every icon, as a `symbol` with a name.
pub(crate) const SPRITE: &str = include_str!("../../../web/static/icons.svg");

/// The template set.
#[derive(Debug)]
pub(crate) struct Templates(Tera);

impl Templates {
    /// Compiles the set.
    pub(crate) fn new(set: impl IntoIterator<Item = Template>) -> Result<Self, tera::Error> {
        let mut tera = Tera::default();
        tera.register_function("icon", Icons::new());
        tera.set_escape_fn(escape);
        tera.add_raw_templates(set.into_iter().map(|template| (template.name, template.text)))?;
        Ok(Self(tera))
    }

    /// Renders a page.
    pub(crate) fn render<P: Page>(&self, shell: &Shell<'_>, page: &P) -> Result<String, tera::Error> {
        let mut context = Context::new();
        context.insert("shell", shell);
        context.insert("page", page);
        self.0.render(P::TEMPLATE.name, &context)
    }
}

/// Escapes for element content and quoted attributes. Unlike Tera's own it leaves `/` alone, which addresses are full of.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// `icon(name="mail", class="ok")`: a symbol of the sprite as an inline element, so that a page carries only what it
/// shows and needs no second request.
struct Icons(Arc<HashMap<&'static str, &'static str>>);

impl Icons {
    fn new() -> Self {
        let symbols = SPRITE.split("<symbol id=\"").skip(1).filter_map(|symbol| {
            let (name, rest) = symbol.split_once('"')?;
            let (_, shapes) = rest.split_once('>')?;
            let (shapes, _) = shapes.split_once("</symbol>")?;
            Some((name, shapes))
        });
        Self(Arc::new(symbols.collect()))
    }
}

impl tera::Function for Icons {
    fn call(&self, arguments: &HashMap<String, Value>) -> tera::Result<Value> {
        let name = arguments.get("name").and_then(Value::as_str).unwrap_or_default();
        let shapes =
            self.0.get(name).ok_or_else(|| tera::Error::msg(format!("there is no icon `{name}`")))?;
        let class = arguments.get("class").and_then(Value::as_str).unwrap_or("plain-icon");
        let class = match class {
            // The logo brings its own size and colours.
            "" => String::new(),
            "plain-icon" => " class=\"i\"".to_owned(),
            more => format!(" class=\"i {more}\""),
        };
        Ok(Value::String(format!("<svg{class} viewBox=\"0 0 24 24\" aria-hidden=\"true\">{shapes}</svg>")))
    }

    fn is_safe(&self) -> bool {
        true
    }
}
