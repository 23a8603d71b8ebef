//! Every operation as text in, text out: the one entry that vectors, Python and the browser share.
//!
//! Input and output are JSON documents. A failure is a document too: `sendershift-error/1` with `code`,
//! `message` and `problems`, or `sendershift-missing/1` with the `questions` that are still open.

mod arguments;
mod compact;
mod dns;
#[cfg(feature = "mail")]
mod mail;
#[cfg(feature = "plan")]
mod plan;
pub mod row;
mod shape;
mod spf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::dns::Question;
use crate::error::{Error, Invalid, Missing, Problem};
use crate::name::DomainName;

pub use arguments::Arguments;
use arguments::Input;
pub use dns::evidence_of;
#[cfg(feature = "plan")]
pub use plan::ProvenPlan;
pub use shape::{Shape, expect_document};
pub use spf::{BatchLine, CheckDocument, CheckRequest, Judged, policy};

/// What a long operation tells now and then: how many mixes or drafts it has looked at since it began, which never falls. It goes on
/// as long as the answer is `true`.
pub type Watch<'a> = dyn FnMut(u64) -> bool + 'a;

#[derive(Clone, Copy)]
enum Operation {
    Short(fn(&Input<'_>) -> Result<String, Error>),
    Long(fn(&Input<'_>, &mut Watch<'_>) -> Result<String, Error>),
}

use Operation::{Long, Short};

/// The operations, sorted by name.
const OPERATIONS: &[(&str, Operation)] = &[
    #[cfg(feature = "mail")]
    ("dkim.lint", Short(mail::lint_dkim)),
    #[cfg(feature = "mail")]
    ("dkim.parse", Short(|input| typed(input, mail::parse_key))),
    #[cfg(feature = "mail")]
    ("dmarc.check", Short(mail::check_dmarc)),
    #[cfg(feature = "mail")]
    ("dmarc.evaluate", Short(mail::evaluate_dmarc)),
    #[cfg(feature = "mail")]
    ("dmarc.lint", Short(mail::lint_dmarc)),
    #[cfg(feature = "mail")]
    ("dmarc.parse", Short(|input| typed(input, mail::parse_dmarc))),
    ("dns.answer", Short(dns::answer_operation)),
    ("dns.query", Short(dns::query_operation)),
    ("dns.read", Short(dns::read_operation)),
    ("dns.snapshot", Short(dns::snapshot_operation)),
    #[cfg(feature = "mail")]
    ("domain.lint", Short(mail::lint_domain)),
    #[cfg(feature = "mail")]
    ("drift", Short(mail::drift_operation)),
    #[cfg(feature = "mail")]
    ("lint.rules", Short(|input| typed(input, |_: &NoInput| Ok(crate::lint::rules())))),
    #[cfg(feature = "plan")]
    ("migration.read", Short(|input| typed(input, plan::read_migration))),
    #[cfg(feature = "plan")]
    ("migration.values", Short(|input| typed(input, plan::migration_values))),
    ("name.parse", Short(|input| typed(input, name_parse))),
    #[cfg(feature = "plan")]
    ("plan", Long(plan::plan_operation)),
    #[cfg(feature = "plan")]
    ("plan.course", Short(plan::course_operation)),
    #[cfg(feature = "plan")]
    ("plan.draft", Short(plan::draft_operation)),
    #[cfg(feature = "plan")]
    ("plan.read", Short(plan::read_operation)),
    #[cfg(feature = "plan")]
    ("plan.text", Short(plan::text_operation)),
    #[cfg(feature = "plan")]
    ("prove", Long(plan::prove_operation)),
    ("spf.check", Short(spf::check_operation)),
    ("spf.compact", Long(compact::operation)),
    ("spf.cost", Short(spf::cost_operation)),
    ("spf.diff", Short(spf::diff_operation)),
    ("spf.lint", Short(spf::lint_operation)),
    ("spf.parse", Short(|input| typed(input, spf::parse))),
];

/// The names of all operations, sorted.
pub fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|(name, _)| *name)
}

/// Carries out an operation on a JSON document and returns a JSON document.
///
/// It never fails: what is wrong is in the document that is returned. Codes of its own are
/// `wire.unknown-operation`, `json.syntax` (the input is not JSON) and `wire.bad-input` (it is not the document
/// that the operation reads).
///
/// # Examples
///
/// ```
/// let output = sendershift::wire::call("name.parse", r#"{ "name": "Mail.Example." }"#);
/// assert_eq!(output, r#"{"name":"mail.example","labels":2}"#);
/// ```
pub fn call(operation: &str, input: &str) -> String {
    run(operation, input, &mut |_| true).unwrap_or_else(|error| failure(&error))
}

/// As [`call`], with what is wrong as an error, and `watch` called now and then by the operations that may take long
/// (`plan`, `prove`, `spf.compact`): with the number of mixes or drafts looked at since the operation began.
///
/// Where it says `false` the operation ends early with what it has: a proof that is undecided, a record that is not proven the best.
///
/// # Errors
///
/// What [`call`] has in its document.
///
/// # Examples
///
/// ```
/// use sendershift::wire;
///
/// assert_eq!(wire::run("name.parse", r#"{ "name": "A.example" }"#, &mut |_| true)?, r#"{"name":"a.example","labels":2}"#);
/// assert!(wire::run("name.parse", r#"{ "name": "a..example" }"#, &mut |_| true).is_err());
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn run(operation: &str, input: &str, watch: &mut Watch<'_>) -> Result<String, Error> {
    carry_out(operation, &Input::whole(input), watch)
}

/// As [`run`], for whoever has the arguments of an operation one by one: evidence that is read already, and places that are those in
/// what was given.
///
/// # Errors
///
/// As [`run`], each problem with its [`argument`](Problem::argument), and with a place in that, where it is a text.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::error::{Error, Span};
/// use sendershift::wire::{self, Arguments};
///
/// let dns = Snapshot::from_json(r#"{ "format": "sendershift-snapshot/1", "closed": true, "answers": [] }"#)?;
/// let evidence = [("dns", &dns)];
/// let arguments = Arguments::new(r#"{ "left": "v=spf1 -all", "right": "v=spf1 ip4:999" }"#, &evidence);
/// let Err(Error::Invalid(invalid)) = wire::run_with("spf.diff", &arguments, &mut |_| true) else { panic!("that was wrong") };
/// assert_eq!(invalid.problems[0].argument.as_deref(), Some("right"));
/// assert_eq!(invalid.problems[0].span, Some(Span::new(11, 14)));
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn run_with(operation: &str, arguments: &Arguments<'_>, watch: &mut Watch<'_>) -> Result<String, Error> {
    carry_out(operation, &arguments.0, watch)
}

fn carry_out(operation: &str, input: &Input<'_>, watch: &mut Watch<'_>) -> Result<String, Error> {
    #[cfg(not(feature = "idna"))]
    crate::name::idna_needed();
    let output = match OPERATIONS.iter().find(|(name, _)| *name == operation) {
        Some((_, Short(run))) => run(input),
        Some((_, Long(run))) => run(input, &mut rising(watch)),
        None => Err(unknown(operation).into()),
    };
    // What was found without a name that could not be read is no answer.
    #[cfg(not(feature = "idna"))]
    if let Some(problem) = crate::name::idna_needed() {
        return Err(problem.into());
    }
    output
}

/// The parts of a long operation count from zero each: told is what all of them have looked at.
fn rising<'w>(watch: &'w mut Watch<'_>) -> impl FnMut(u64) -> bool + 'w {
    let (mut total, mut before) = (0_u64, 0);
    move |count| {
        // What is no more than before was counted by another part.
        total = total.saturating_add(if count > before { count - before } else { count });
        before = count;
        watch(total)
    }
}

fn unknown(operation: &str) -> Problem {
    let names = operations().collect::<Vec<_>>().join(", ");
    Problem::new("wire.unknown-operation", format!("there is no operation `{operation}`"))
        .help(format!("the operations are {names}"))
}

/// An operation on documents with types.
fn typed<I, O>(input: &Input<'_>, run: impl FnOnce(&I) -> Result<O, Error>) -> Result<String, Error>
where
    I: DeserializeOwned,
    O: Serialize,
{
    let document = serde_json::from_str(input.text).map_err(|error| not_readable(input.text, &error))?;
    Ok(to_json(&run(&document)?))
}

/// Our documents have only text as keys and no numbers but integers, so they can always be written.
pub(crate) fn to_json(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_else(|error| format!("{{\"unwritable\":\"{error}\"}}"))
}

fn not_readable(input: &str, error: &serde_json::Error) -> Problem {
    let code = if error.is_data() { "wire.bad-input" } else { "json.syntax" };
    let message = error.to_string();
    // The place is told by the span.
    let message = message.split(" at line ").next().unwrap_or(&message);
    let line_start: usize =
        input.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (line_start + error.column().saturating_sub(1)).min(input.len());
    Problem::new(code, message).at(at..at)
}

#[derive(Serialize)]
#[serde(untagged)]
enum Failure<'a> {
    Invalid { format: &'static str, code: &'static str, message: String, problems: &'a [Problem] },
    Missing { format: &'static str, message: String, questions: &'a [Question] },
}

impl<'a> Failure<'a> {
    fn of(error: &'a Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Invalid(Invalid { problems }) => Self::Invalid {
                format: "sendershift-error/1",
                code: problems.first().map_or("wire.bad-input", |problem| problem.code),
                message,
                problems,
            },
            Error::Missing(Missing { questions }) => {
                Self::Missing { format: "sendershift-missing/1", message, questions }
            }
        }
    }
}

/// The document of a failure: `sendershift-error/1` or `sendershift-missing/1`.
pub fn failure(error: &Error) -> String {
    to_json(&Failure::of(error))
}

/// `{}`
#[cfg(feature = "mail")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoInput {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameInput {
    name: String,
}

#[derive(Serialize)]
struct NameOutput {
    name: DomainName,
    labels: usize,
}

fn name_parse(input: &NameInput) -> Result<NameOutput, Error> {
    let name = DomainName::parse(&input.name)?;
    Ok(NameOutput { labels: name.label_count(), name })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{call, failure, operations};
    use crate::dns::{Question, RecordType};
    use crate::error::{Error, Missing};
    use crate::name::DomainName;

    fn problem(operation: &str, input: &str) -> (String, Value) {
        let document: Value = serde_json::from_str(&call(operation, input)).unwrap();
        assert_eq!(document["format"], "sendershift-error/1");
        assert_eq!(document["code"], document["problems"][0]["code"]);
        (document["code"].as_str().unwrap().to_owned(), document["problems"][0].clone())
    }

    #[test]
    fn unknown_operations_are_told_the_known_ones() {
        let (code, problem) = problem("name.prase", "{}");
        assert_eq!(code, "wire.unknown-operation");
        let help = problem["help"].as_str().unwrap();
        assert!(operations().all(|name| help.contains(name)), "{help}");
    }

    #[test]
    fn what_is_told_never_falls() {
        let mut told = Vec::new();
        let mut watch = |total| {
            told.push(total);
            true
        };
        let mut rising = super::rising(&mut watch);
        for count in [64, 128, 64, 64, 256, 64] {
            assert!(rising(count));
        }
        drop(rising);
        assert_eq!(told, [64, 128, 192, 256, 448, 512]);
    }

    #[test]
    fn places_are_those_in_the_arguments() {
        use super::{Arguments, run_with};
        let dns = crate::dns::Snapshot::default();
        let problems = |operation, document, keys: &[&'static str]| {
            let evidence: Vec<_> = keys.iter().map(|key| (*key, &dns)).collect();
            match run_with(operation, &Arguments::new(document, &evidence), &mut |_| true) {
                Err(Error::Invalid(invalid)) => {
                    let told = invalid.problems.into_iter().map(|problem| {
                        (
                            problem.code,
                            problem.argument.map(String::from),
                            problem.span.map(|span| (span.start, span.end)),
                        )
                    });
                    told.collect::<Vec<_>>()
                }
                other => panic!("{other:?}"),
            }
        };
        let told = |code, argument: &str, span| (code, Some(argument.to_owned()), span);
        // Escapes are no octets of the text, and what is no text has no places.
        let document = r#"{"ip":"192.0.2","mail_from":5,"receiver":"\u00e9","trace":true,"extra":1}"#;
        assert_eq!(
            problems("spf.check", document, &["dns"]),
            [
                told("net.bad-address", "ip", Some((0, 7))),
                told("document.wrong-type", "mail_from", None),
                told("spf.unknown-profile", "receiver", Some((0, 2))),
                told("document.unknown-key", "extra", None),
            ]
        );
        let document = r#"{"subject":"v=spf1 ip4:999","domain":"a.example"}"#;
        for operation in ["spf.cost", "spf.compact"] {
            assert_eq!(
                problems(operation, document, &["dns"]),
                [told("spf.bad-ip4", "subject", Some((11, 14)))]
            );
        }
        let document = r#"{"left":"v=spf1 -all","right":"v=spf1 ip4:999"}"#;
        assert_eq!(
            problems("spf.diff", document, &["dns", "right_dns"]),
            [told("spf.bad-ip4", "right", Some((11, 14)))]
        );
        assert_eq!(problems("drift", "{}", &["before"]), [("document.missing-key", None, None)]);
        assert_eq!(problems("domain.lint", r#"{"domain":"a"}"#, &[]), [("document.missing-key", None, None)]);
    }

    #[test]
    fn operations_are_sorted() {
        assert!(operations().is_sorted());
    }

    #[test]
    fn bad_input_has_a_place() {
        for (input, expected, at) in [
            ("", "json.syntax", 0),
            ("{\n  \"name\": }", "json.syntax", 12),
            ("[]", "wire.bad-input", 1),
            ("{\"nmae\": \"a\"}", "wire.bad-input", 6),
            ("{\"name\": 1}", "wire.bad-input", 9),
        ] {
            let (code, problem) = problem("name.parse", input);
            assert_eq!(code, expected, "{input}");
            assert_eq!(problem["span"], serde_json::json!([at, at]), "{input}: {problem}");
        }
    }

    #[test]
    fn deep_input_is_refused() {
        let (code, _) = problem("name.parse", &"[".repeat(100_000));
        assert_eq!(code, "wire.bad-input");
        let (code, _) = problem("name.parse", &format!("{{\"name\": {}", "[".repeat(100_000)));
        assert_eq!(code, "wire.bad-input");
    }

    #[test]
    fn missing_evidence_is_a_document_of_questions() {
        let question = Question::new(DomainName::parse("a.example").unwrap(), RecordType::Txt);
        let document = failure(&Error::from(Missing { questions: vec![question] }));
        let document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["format"], "sendershift-missing/1");
        assert_eq!(document["questions"], serde_json::json!([{ "name": "a.example", "type": "TXT" }]));
    }
}
