//! YAML in which every scalar is text (the failsafe schema of YAML 1.2, section 10.1), so that `4.10`, `none`
//! and `1234::1` stay what they are.

use saphyr_parser::{Event, Parser, ScanError};
use serde_json::{Map, Value};

/// The documents of a stream.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let mut parser = Parser::new_from_str(text);
    let mut documents = Vec::new();
    while let Some(event) = parser.next() {
        if let Event::DocumentStart(_) = event.map_err(|error| error.to_string())?.0 {
            documents.push(node(&mut parser)?.ok_or("a document is empty")?);
        }
    }
    Ok(documents)
}

/// The next node; none at the end of a collection.
fn node<'a>(
    events: &mut impl Iterator<Item = Result<(Event<'a>, saphyr_parser::Span), ScanError>>,
) -> Result<Option<Value>, String> {
    let (event, span) = events.next().ok_or("the text ends early")?.map_err(|error| error.to_string())?;
    Ok(match event {
        Event::Scalar(text, ..) => Some(Value::String(text.into_owned())),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            while let Some(item) = node(events)? {
                items.push(item);
            }
            Some(Value::Array(items))
        }
        Event::MappingStart(..) => {
            let mut members = Map::new();
            while let Some(key) = node(events)? {
                let key = key.as_str().ok_or("a key is not text")?.to_owned();
                let value = node(events)?.ok_or("a key has no value")?;
                if members.insert(key.clone(), value).is_some() {
                    return Err(format!("line {}: `{key}` stands twice", span.start.line()));
                }
            }
            Some(Value::Object(members))
        }
        Event::SequenceEnd | Event::MappingEnd => None,
        other => return Err(format!("line {}: {other:?} is not read here", span.start.line())),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::documents;

    #[test]
    fn scalars_stay_text() {
        let text = "a: 4.10\nb: [none, ~]\nc:\n  - {d: 1234::1}\n---\n\"\\x80\"\n";
        let expected =
            [json!({ "a": "4.10", "b": ["none", "~"], "c": [{ "d": "1234::1" }] }), json!("\u{80}")];
        assert_eq!(documents(text).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in ["a: [b", "a: 1\na: 2", "a: &x 1\nb: *x", "? [a]\n: b"] {
            assert!(documents(text).is_err(), "{text}");
        }
    }
}
