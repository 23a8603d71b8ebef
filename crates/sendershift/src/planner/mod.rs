//! Plans a migration: which records, which steps, in which order, with which waits, on which dates.
//!
//! [`plan()`] constructs. Whether what it constructs is safe is judged by [`prove`](crate::prove), which shares the
//! evaluation of SPF, DKIM and DMARC with it and nothing else: the waits are computed here and there on their own.
//!
//! The construction is always the same. What the new identities need is published. When nobody can still hold an older
//! answer (`zone`), one wave of streams moves after the other. While a stream moves, its messages are mixed: queued messages of the
//! old identity leave by the new sources, so for that time both domains authorise both. Then policies become stricter,
//! and when the last message that relied on it has been judged, what only the old identities needed is taken out. Where
//! some of this cannot be done, the plan has blockers that say why.

mod audit;
mod authorise;
pub(crate) mod dates;
mod draft;
mod facts;
mod moves;
mod publish;
mod ramp;
mod retire;
mod spf;
#[cfg(test)]
mod tests;
mod undo;
mod waits;
mod zone;

use std::collections::BTreeMap;

use draft::{Draft, Move};
use facts::{Facts, Settled};
use zone::Zone;

use crate::dns::{Recording, Snapshot};
use crate::error::Error;
use crate::migration::{Migration, Wave};
use crate::name::DomainName;
use crate::plan::{self, Parameters, Plan, Remark};

/// Plans a migration on what DNS said before it.
///
/// A plan whose `blockers` are not empty is not complete: they say why. Where nothing has to change, the plan has no steps.
///
/// # Errors
///
/// [`Error::Missing`] with the questions that the evidence does not answer, `spf.too-complex` where hostile
/// records would take too long.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::migration::Migration;
/// use sendershift::planner::plan;
/// use sendershift::prove::{Judged, prove};
/// # let (migration, dns) = (
/// #     include_str!("../../../../docs/examples/qualys/migration.toml"),
/// #     include_str!("../../../../docs/examples/qualys/dns.json"),
/// # );
///
/// let plan = plan(&Migration::from_toml(migration)?, &Snapshot::from_json(dns)?)?;
/// assert!(plan.blockers.is_empty());
/// assert_eq!(plan.point_of_no_return.as_deref(), Some("shrink-spf-qualys-com"));
/// assert_eq!(prove(&plan)?.verdict, Judged::Safe);
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn plan(migration: &Migration, evidence: &Snapshot) -> Result<Plan, Error> {
    let known = Recording::new(Settled(evidence));
    let plan = construct(migration, evidence, &known)?;
    known.complete(plan).map_err(Error::from)
}

fn construct<'m>(
    migration: &'m Migration,
    evidence: &'m Snapshot,
    known: &'m facts::Known<'m>,
) -> Result<Plan, Error> {
    let facts = Facts::new(migration, known)?;
    let implied = Wave { id: "all".to_owned(), title: "all streams at once".to_owned(), watch: 0, over: 0 };
    let mut draft = Draft {
        facts: &facts,
        zone: Zone::new(known, evidence, &migration.parameters),
        moves: moving(&facts, &implied)?,
        waves: Vec::new(),
        steps: Vec::new(),
        findings: Vec::new(),
        blockers: Vec::new(),
        temporary: BTreeMap::new(),
    };
    // A wave may have the name of the implied one; then that one is it.
    let unnamed = migration.waves.iter().all(|wave| wave.id != implied.id).then_some(&implied);
    let waves = migration.waves.iter().chain(unnamed);
    draft.waves =
        waves.filter(|wave| draft.moves.iter().any(|moved| moved.step == moves::move_id(&wave.id))).collect();
    audit::audit(&mut draft)?;
    publish::keys(&mut draft);
    publish::exchanges(&mut draft);
    publish::policies(&mut draft)?;
    authorise::publish(&mut draft)?;
    moves::check(&mut draft)?;
    moves::waves(&mut draft);
    ramp::tighten(&mut draft)?;
    retire::spf(&mut draft)?;
    retire::keys(&mut draft);
    let close = retire::close(&mut draft);
    audit::assumed_ttls(&mut draft, evidence);
    finish(draft, close, evidence)
}

/// The streams that move, in the order of the migration.
fn moving<'m>(facts: &Facts<'m>, implied: &Wave) -> Result<Vec<Move<'m>>, Error> {
    let mut moves = Vec::new();
    for stream in &facts.migration.streams {
        let Some(then) = stream.then.as_ref().filter(|then| **then != stream.now) else { continue };
        let known = facts.migration.waves.iter().find(|wave| Some(&wave.id) == stream.wave.as_ref());
        let wave = known.map_or(implied.id.as_str(), |wave| wave.id.as_str());
        let today = facts.fate(facts.known, stream, &stream.now, &stream.now)?;
        moves.push(Move {
            stream,
            then,
            step: moves::move_id(wave),
            gate: moves::gate_id(wave),
            passes_today: today.lacks().is_none(),
            some_pass_today: today.reaches_some(),
        });
    }
    Ok(moves)
}

/// The plan of a draft.
fn finish(mut draft: Draft<'_>, close: Option<String>, evidence: &Snapshot) -> Result<Plan, Error> {
    let migration = draft.facts.migration;
    let streams = streams(&mut draft, close.as_deref())?;
    let customers = moves::customers(&draft);
    let mut parameters = parameters(migration, evidence);
    if parameters.within_limits_from.is_none() && heals_limits(&draft)? {
        parameters.within_limits_from = close;
    }
    waits::reduce(&mut draft.steps);
    undo::give(&mut draft);
    let mut evidence = evidence.clone();
    let changed = draft.steps.iter().flat_map(|step| &step.changes).map(|change| &change.name);
    let names: Vec<DomainName> = evidence.names().chain(changed).cloned().collect();
    evidence.keep_public_suffixes(names.iter());
    let removal = draft.steps.iter().find(|step| step.phase == "retire");
    let mut plan = Plan {
        title: migration.title.clone(),
        parameters,
        sources: migration.sources.iter().map(source).collect(),
        streams,
        customers,
        mta_sts: Vec::new(),
        point_of_no_return: removal.map(|step| step.id.clone()),
        steps: draft.steps,
        evidence,
        assumptions: assumptions(migration),
        findings: draft.findings,
        blockers: draft.blockers,
        critical_path: Vec::new(),
    };
    dates::schedule(&mut plan, migration);
    Ok(plan)
}

fn parameters(migration: &Migration, evidence: &Snapshot) -> Parameters {
    let mut parameters = migration.parameters.clone();
    parameters.start = evidence.taken().map_or(parameters.start, |taken| taken.max(parameters.start));
    parameters.start = parameters.start.max(migration.calendar.announce);
    parameters.deadline = parameters.deadline.or(migration.calendar.deadline);
    parameters
}

fn source(source: &crate::migration::Source) -> plan::Source {
    plan::Source {
        id: source.id.clone(),
        addresses: source.addresses.clone(),
        include: source.include.clone(),
        assumed: source.assumed.clone(),
    }
}

/// The streams as the plan has them; what fails today is judged from the step on that repairs it.
fn streams(draft: &mut Draft<'_>, close: Option<&str>) -> Result<Vec<plan::Stream>, Error> {
    let mut streams = Vec::new();
    for stream in &draft.facts.migration.streams {
        let moved = draft.moves.iter().find(|moved| moved.stream.id == stream.id).cloned();
        let today = draft.facts.fate(draft.facts.known, stream, &stream.now, &stream.now)?;
        let judged_from = match (today.lacks(), &moved) {
            (None, _) => None,
            (Some(_), Some(moved)) => Some(moved.gate.clone()),
            (Some(_), None) => {
                let after = draft.facts.fate(&draft.zone.world, stream, &stream.now, &stream.now)?;
                match (after.lacks(), close) {
                    (None, Some(close)) => Some(close.to_owned()),
                    _ => {
                        let why = after.lacks().unwrap_or_default();
                        draft.blocker(
                            "plan.fails-and-stays",
                            &stream.id,
                            format!(
                                "is not authenticated today and nothing in the migration repairs it: {why}"
                            ),
                        );
                        None
                    }
                }
            }
        };
        streams.push(plan::Stream {
            id: stream.id.clone(),
            title: stream.title.clone(),
            identities: [&stream.now]
                .into_iter()
                .chain(moved.as_ref().map(|moved| moved.then))
                .cloned()
                .collect(),
            live: vec![stream.now.id.clone()],
            needs_both: stream.needs_both,
            spf_only: stream.spf_only,
            signed_at: stream.signed_at,
            judged_from,
        });
    }
    Ok(streams)
}

/// Whether some path of a declared source is over a limit today and none is in the end.
fn heals_limits(draft: &Draft<'_>) -> Result<bool, Error> {
    let (mut over_today, mut over_then) = (false, false);
    for stream in &draft.facts.migration.streams {
        let last = draft::last(stream);
        over_today |= !draft.facts.fate(draft.facts.known, stream, &stream.now, &stream.now)?.within_limits;
        over_then |= !draft.facts.fate(&draft.zone.world, stream, last, last)?.within_limits;
    }
    Ok(over_today && !over_then && !draft.steps.is_empty())
}

fn assumptions(migration: &Migration) -> Vec<Remark> {
    let declared = migration.assumptions.iter().map(|text| Remark::new("assume.declared", None, text));
    let mut keys: BTreeMap<String, Remark> = BTreeMap::new();
    for key in migration.streams.iter().flat_map(|stream| &stream.keys) {
        if let Some(why) = &key.assumed {
            let name = format!("{}._domainkey.{}", key.signature.selector, key.signature.domain);
            keys.insert(
                name.clone(),
                Remark::new("assume.key", Some(&name), format!("the key is assumed: {why}")),
            );
        }
    }
    declared.chain(keys.into_values()).collect()
}
