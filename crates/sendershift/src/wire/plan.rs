//! The operations on plans.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::spf::{read, snapshot};
use super::{Input, Watch, to_json};
use crate::dns::Snapshot;
use crate::document::{Kind, Value};
use crate::error::{Error, Invalid, Span};
use crate::migration::{FORMAT, Migration};
use crate::name::DomainName;
use crate::plan::Plan;
use crate::prove::{Judged, Proof, course, prove_now_with_margin, prove_with_margin};
use crate::{planner, render};

/// A plan with its proof: the document that `plan` gives.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ProvenPlan {
    /// The plan.
    #[serde(flatten)]
    pub plan: Plan,
    /// What the prover says of it.
    pub proof: Proof,
}

impl ProvenPlan {
    /// Plans a migration and judges the plan. `progress` is called as by
    /// [`prove_with`](crate::prove::prove_with).
    ///
    /// # Errors
    ///
    /// As [`planner::plan`] and [`prove`](crate::prove::prove).
    pub fn new(
        migration: &Migration,
        evidence: &Snapshot,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Self, Error> {
        let plan = planner::plan(migration, evidence)?;
        let proof = prove_with_margin(&plan, progress)?;
        Ok(Self { plan, proof })
    }

    /// Whether the plan is complete and proven safe.
    pub fn is_ready(&self) -> bool {
        self.plan.blockers.is_empty() && self.proof.verdict == Judged::Safe
    }
}

/// `{ "migration", "dns" }`: the text of a migration file, and a snapshot.
fn migration_and_evidence<'a>(input: &Input<'a>) -> Result<(Migration, Cow<'a, Snapshot>), Error> {
    let (migration, evidence) = read(input, |reader, fields| {
        let migration = fields.required(reader, "migration").and_then(|value| reader.text(value));
        let snapshot = snapshot(reader, fields, input);
        Some((migration?.to_owned(), snapshot?))
    })?;
    // Problems of the migration have their places in its text.
    Ok((Migration::from_toml(&migration)?, evidence))
}

/// A migration and evidence in, a plan document with its proof out.
pub(super) fn plan_operation(input: &Input<'_>, watch: &mut Watch<'_>) -> Result<String, Error> {
    let (migration, evidence) = migration_and_evidence(input)?;
    Ok(to_json(&ProvenPlan::new(&migration, &evidence, watch)?))
}

/// A plan document in, its course out, for a picture. Any proof inside the plan is ignored.
pub(super) fn course_operation(input: &Input<'_>) -> Result<String, Error> {
    Ok(to_json(&course(&Plan::from_json(input.text)?)?))
}

/// The same without a proof: nothing is known of the plan that comes out before `prove` has judged it.
pub(super) fn draft_operation(input: &Input<'_>) -> Result<String, Error> {
    let (migration, evidence) = migration_and_evidence(input)?;
    Ok(to_json(&planner::plan(&migration, &evidence)?))
}

/// A plan document in, a proof document out; or `{ "plan", "dns" }`: the plan beside what DNS says now. Any proof inside the plan is
/// ignored.
pub(super) fn prove_operation(input: &Input<'_>, watch: &mut Watch<'_>) -> Result<String, Error> {
    if !is_beside_now(input.text) {
        return Ok(to_json(&prove_with_margin(&Plan::from_json(input.text)?, watch)?));
    }
    let (plan, now) = read(input, |reader, fields| {
        let plan = fields.required(reader, "plan").and_then(|value| Plan::read(reader, value, input.text));
        let now = snapshot(reader, fields, input);
        Some((plan?, now?))
    })?;
    Ok(to_json(&prove_now_with_margin(&plan, &now, watch)?))
}

/// Whether an input has the plan as a part; a plan itself has a `format`.
fn is_beside_now(input: &str) -> bool {
    let Ok(Value { kind: Kind::Table(entries), .. }) = Value::from_json(input) else { return false };
    let has = |key| entries.iter().any(|entry| entry.key == key);
    has("plan") && !has("format")
}

/// A plan document in, the same plan out: everything filled in, any proof left out.
pub(super) fn read_operation(input: &Input<'_>) -> Result<String, Error> {
    Ok(to_json(&Plan::from_json(input.text)?))
}

#[derive(Serialize)]
struct Text {
    text: String,
}

/// Wide enough for records, narrow enough for a terminal.
const WIDTH: usize = 100;

/// A plan document in, `{ "text" }` for people out. Any proof inside the plan is ignored.
pub(super) fn text_operation(input: &Input<'_>) -> Result<String, Error> {
    Ok(to_json(&Text { text: render::text::plan(&Plan::from_json(input.text)?, None, WIDTH) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MigrationInput {
    migration: String,
}

/// What a migration is about.
#[derive(Serialize)]
pub(super) struct MigrationOutput {
    format: &'static str,
    title: String,
    announce: String,
    deadline: Option<String>,
    domains: Vec<DomainName>,
    sources: Vec<String>,
    waves: Vec<String>,
    streams: Vec<String>,
    customers: Vec<String>,
}

/// The values of a migration file, whatever they mean, so that something else can be written in the place of one.
#[derive(Serialize)]
pub(super) struct ValuesOutput {
    format: &'static str,
    values: Vec<Placed>,
}

/// A value that has no parts, and where it stands.
#[derive(Serialize)]
struct Placed {
    path: Vec<PathStep>,
    value: Scalar,
    span: Span,
}

#[derive(Clone, Serialize)]
#[serde(untagged)]
enum PathStep {
    Key(String),
    Index(usize),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Integer(i64),
    Bool(bool),
}

/// `{ "migration" }`: the text of a migration file, of which nothing is asked but that it is TOML.
pub(super) fn migration_values(input: &MigrationInput) -> Result<ValuesOutput, Error> {
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    match Value::from_toml(&input.migration) {
        Ok(document) => place(document, &mut Vec::new(), &mut values),
        Err(problem) => problems.push(problem),
    }
    Ok(Invalid::unless(problems, &input.migration, ValuesOutput { format: "sendershift-values/1", values })?)
}

fn place(value: Value, path: &mut Vec<PathStep>, values: &mut Vec<Placed>) {
    let mut below = |step: PathStep, value: Value| {
        path.push(step);
        place(value, path, values);
        path.pop();
    };
    let scalar = match value.kind {
        Kind::Table(entries) => {
            return entries.into_iter().for_each(|entry| below(PathStep::Key(entry.key), entry.value));
        }
        Kind::List(items) => {
            return items.into_iter().enumerate().for_each(|(at, item)| below(PathStep::Index(at), item));
        }
        Kind::Text(text) => Scalar::Text(text),
        Kind::Integer(number) => Scalar::Integer(number),
        Kind::Bool(is) => Scalar::Bool(is),
        Kind::Null | Kind::Number => return,
    };
    values.push(Placed { path: path.clone(), value: scalar, span: value.span });
}

/// `{ "migration" }`: the text of a migration file. Problems have their places in it.
pub(super) fn read_migration(input: &MigrationInput) -> Result<MigrationOutput, Error> {
    let migration = Migration::from_toml(&input.migration)?;
    let Migration { title, calendar, domains, sources, waves, streams, customers, .. } = migration;
    Ok(MigrationOutput {
        format: FORMAT,
        title,
        announce: calendar.announce.to_string(),
        deadline: calendar.deadline.map(|instant| instant.to_string()),
        domains: domains.into_iter().map(|domain| domain.name).collect(),
        sources: sources.into_iter().map(|source| source.id).collect(),
        waves: waves.into_iter().map(|wave| wave.id).collect(),
        streams: streams.into_iter().map(|stream| stream.id).collect(),
        customers: customers.into_iter().map(|class| class.id).collect(),
    })
}
