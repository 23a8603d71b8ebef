//! The `name=value;` lists that DKIM keys and DMARC records are written in (RFC 6376 section 3.2).

use std::fmt;

use crate::error::Span;

/// One tag as it was written; a part without `=` is a name without a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.value {
            Some(value) => write!(f, "={value}"),
            None => Ok(()),
        }
    }
}

/// Tags in their order, `; ` between them.
pub(crate) fn to_text(tags: &[Tag]) -> String {
    let mut text = tags.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    // Nothing after the last `;` is no part: an empty part there needs a `;` of its own.
    if tags.last().is_some_and(|last| last.name.is_empty() && last.value.is_none()) {
        text.push(';');
    }
    text
}

/// One part of a list, without the space around name and value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'t> {
    pub(crate) name: &'t str,
    pub(crate) value: Option<&'t str>,
    pub(crate) span: Span,
}

impl Part<'_> {
    pub(crate) fn to_tag(self) -> Tag {
        Tag { name: self.name.to_owned(), value: self.value.map(ToOwned::to_owned) }
    }
}

/// The octets of folding white space.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The parts of a list; the empty one after a final `;` is none.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut next = 0;
    text.split(';').filter_map(move |segment| {
        let start = next;
        let end = start + segment.len();
        next = end + 1;
        let body = segment.trim_matches(is_space);
        if body.is_empty() {
            let empty = Part { name: "", value: None, span: Span::new(start, end) };
            return (end < text.len()).then_some(empty);
        }
        let start = start + segment.len() - segment.trim_start_matches(is_space).len();
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => {
                (name.trim_end_matches(is_space), Some(value.trim_start_matches(is_space)))
            }
            None => (body, None),
        };
        Some(Part { name, value, span: Span::new(start, start + body.len()) })
    })
}

#[cfg(test)]
mod tests {
    use super::{Part, Span, parts, to_text};

    #[test]
    fn parts_and_their_places() {
        let found: Vec<_> = parts(" v = a ;; b=c=d;x; ").map(|p| (p.name, p.value, p.span)).collect();
        assert_eq!(
            found,
            [
                ("v", Some("a"), Span::new(1, 6)),
                ("", None, Span::new(8, 8)),
                ("b", Some("c=d"), Span::new(10, 15)),
                ("x", None, Span::new(16, 17)),
            ]
        );
        assert_eq!(parts("").count(), 0);
    }

    #[test]
    fn empty_parts_survive() {
        for text in ["a=b; ;", "; ;", "a=b; ; c", "a=b"] {
            let tags: Vec<_> = parts(text).map(Part::to_tag).collect();
            assert_eq!(to_text(&tags), text);
        }
    }
}
