//! Reading MTA-STS policies.

use super::parts::{optional_text, required_name};
use crate::adjacent::MtaStsPolicy;
use crate::document::{Reader, Value};
use crate::error::Problem;
use crate::plan::PublishedPolicy;

pub(super) fn read_policy(reader: &mut Reader, value: &Value) -> Option<PublishedPolicy> {
    let mut fields = reader.fields(value)?;
    let domain = required_name(reader, &mut fields, "domain");
    let policy = fields.required(reader, "policy").and_then(|value| read_text(reader, value));
    let from = optional_text(reader, &mut fields, "from");
    fields.finish(reader);
    Some(PublishedPolicy { domain: domain?, policy: policy?, from })
}

fn read_text(reader: &mut Reader, value: &Value) -> Option<MtaStsPolicy> {
    let invalid = match MtaStsPolicy::parse(reader.text(value)?) {
        Ok(policy) => return Some(policy),
        Err(invalid) => invalid,
    };
    // A string of JSON may have escapes in it, so of the place within the text only the line is told.
    for Problem { code, message, line, help, .. } in invalid.problems {
        let message = match line {
            Some(line) => format!("line {line} of the policy: {message}"),
            None => message,
        };
        reader.problem(Problem { help, ..Problem::new(code, message).at(value.span) });
    }
    None
}
