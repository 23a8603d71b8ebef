//! Why no record keeps to the limits, and what would help.

use std::collections::BTreeSet;

use serde::Serialize;

use super::RECOMMENDED_OCTETS;
use super::draft::Draft;
use super::pack::{items, wire};
use super::search::{Gap, Space, What};
use super::tree::{End, Source};
use crate::name::DomainName;
use crate::provider;
use crate::spf::{Profile, Spent};

/// Why there is no record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Infeasible {
    /// What is in the way: `lookups`, `voids`, `hosts` where an `mx` term that has to stay meets more mail exchanges, or more addresses of
    /// one, than are allowed (RFC 7208 section 4.6.4), `unbounded`, `size`, or `structure` where what must stay live cannot be said elsewhere. Where it is not proven that there is none: `budget` where the search ended first, `broken` where the record
    /// intends errors, `entangled` where it is not known what terms spend together that depend on the message, or who pays
    /// for extra records, `idle` where a term may decide nothing once others are written out, and `undistributed` where no
    /// way was found to distribute the terms to extra records.
    pub reason: &'static str,
    /// Lookups of the record with the fewest, as the first receiver counts.
    pub lookups: u32,
    /// Void lookups of it.
    pub voids: u32,
    /// Octets of the domain's answer if all is written out in one record.
    pub octets: usize,
    /// What is allowed: lookups, void lookups, and octets at the domain.
    pub allowed: (u32, u32, usize),
    /// What stays live even where everything is opened that can be.
    pub stays: Vec<Staying>,
    /// What would help, the nearest first.
    pub remedies: Vec<Remedy>,
}

/// A term that has to stay live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Staying {
    /// The term.
    pub term: String,
    /// Lookups that it costs.
    pub lookups: u32,
    /// Void lookups that it can cost, at worst.
    pub voids: u32,
    /// `depends_on_message`, `kept`, `not_declared_stable`, `no_record` or `loop`.
    pub why: &'static str,
}

/// Something that would help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Remedy {
    /// `reserve`, `flatten`, `keep`, `subdomain`, `provider`, `repair` or `records`.
    pub kind: &'static str,
    /// What it is about.
    pub name: Option<DomainName>,
    /// What to do.
    pub text: String,
}

pub(super) fn explain(
    space: &Space<'_>,
    gap: Option<Gap>,
    profile: &Profile,
    keep: &[DomainName],
) -> Infeasible {
    let opened = space.everything();
    let draft = Draft::new(space.tree, space.classes, &opened).ok();
    let worst =
        draft.iter().flat_map(|draft| &draft.most).fold(Spent::default(), |worst, spent| worst.max(*spent));
    let limits = space.limits.first().copied().unwrap_or(*profile);
    let (lookups, voids) = (worst.lookups_for(profile), worst.voids_for(profile));
    let in_the_way = match &draft {
        None => "structure",
        Some(_) if worst.unbounded > 0 => "unbounded",
        Some(_) if lookups > limits.lookups => "lookups",
        Some(_) if voids > limits.voids => "voids",
        Some(_) if !worst.is_within(&limits) => "hosts",
        Some(_) => "size",
    };
    let reason = match gap {
        None => in_the_way,
        Some(Gap::Budget) => "budget",
        Some(Gap::Broken) => "broken",
        Some(Gap::Entangled) => "entangled",
        Some(Gap::Undistributed) => "undistributed",
        Some(Gap::Idle) => "idle",
    };
    let stays: Vec<Staying> = draft.iter().flat_map(|draft| staying(space, draft, profile, keep)).collect();
    let text =
        draft.iter().flat_map(|draft| items(draft, space.tree, space.all.as_deref(), &space.modifiers));
    let octets =
        space.room.apex_taken + wire("v=spf1".len() + text.map(|item| 1 + item.text.len()).sum::<usize>());
    let mut infeasible = Infeasible {
        reason,
        lookups,
        voids,
        octets,
        allowed: (limits.lookups, limits.voids, space.room.apex),
        stays,
        remedies: Vec::new(),
    };
    infeasible.remedies = remedies(space, &infeasible, in_the_way, profile);
    infeasible
}

fn staying(space: &Space<'_>, draft: &Draft, profile: &Profile, keep: &[DomainName]) -> Vec<Staying> {
    let mut stays = Vec::new();
    for number in draft.live() {
        let Some(term) = space.tree.terms.get(number) else { continue };
        let worst = space
            .classes
            .rows
            .iter()
            .fold(Spent::default(), |worst, row| worst.max(space.classes.cell(row, number).most));
        let is_redirect = draft.end == End::Redirect(number);
        let text = term.own.1.clone();
        let text = match text.strip_prefix("include:") {
            Some(target) if is_redirect => format!("redirect={target}"),
            _ => text,
        };
        let why = match (&term.target, term.mechanism) {
            (None, _) | (Some(_), "ptr") => "depends_on_message",
            (Some(name), _) if keep.contains(name) => "kept",
            (Some(_), "a" | "mx" | "exists") => "not_declared_stable",
            (Some(_), _) if term.child.is_none() => "no_record",
            (Some(_), _) => "loop",
        };
        stays.push(Staying {
            term: text,
            lookups: worst.lookups_for(profile),
            voids: worst.voids_for(profile),
            why,
        });
    }
    stays
}

fn remedies(space: &Space<'_>, infeasible: &Infeasible, in_the_way: &str, profile: &Profile) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    let mut add = |kind, name: Option<&DomainName>, text: String| {
        remedies.push(Remedy { kind, name: name.cloned(), text });
    };
    if infeasible.reason == "lookups" && infeasible.lookups <= profile.lookups {
        let left = profile.lookups - infeasible.lookups;
        add("reserve", None, format!("ask for a smaller reserve: lookups alone allow no more than {left}"));
    }
    for (number, term) in space.tree.terms.iter().enumerate() {
        let Some(name) = &term.target else { continue };
        let stays = infeasible.stays.iter().find(|stay| stay.term == term.own.1);
        let is_unit = space.units.iter().any(|unit| unit.what == What::Host(number));
        let by_voids = infeasible.reason == "voids";
        match stays.map(|stay| (stay.why, stay.voids)) {
            // What saves no void lookup helps against none.
            Some(("not_declared_stable", 0)) if by_voids => {}
            Some(("not_declared_stable", voids)) if !is_unit => {
                let what = if term.mechanism == "exists" { "answer" } else { "addresses" };
                let saves = match voids {
                    _ if infeasible.reason == "hosts" => "the questions about its hosts".to_owned(),
                    _ if !by_voids => "a lookup".to_owned(),
                    1 => "a void lookup".to_owned(),
                    voids => format!("{voids} void lookups"),
                };
                let text = format!(
                    "say that the {what} of {name} will stay the same (--flatten {name}): it saves {saves}"
                );
                add("flatten", Some(name), text);
            }
            Some(("kept", _)) => {
                add("keep", Some(name), format!("let {name} be opened (without --keep {name})"));
            }
            Some(("no_record", _)) => {
                add(
                    "repair",
                    Some(name),
                    format!(
                        "`{}` finds no record and ends evaluations in permerror: take it out (--repair)",
                        term.own.1
                    ),
                );
            }
            _ => {}
        }
    }
    // What would help where all is opened helps all the more where that is not known to be needed.
    if infeasible.reason != "budget" && matches!(in_the_way, "lookups" | "voids" | "unbounded") {
        for stay in infeasible.stays.iter().filter(|stay| stay.why == "depends_on_message") {
            let text = format!(
                "give the sender behind `{}` a return path on a subdomain of its own, with its own record there: SPF \
                 looks at the return path alone",
                stay.term
            );
            add("subdomain", None, text);
        }
        for (name, text) in suggested(space).into_iter().filter(|_| infeasible.reason != "voids") {
            add("provider", Some(name), text);
        }
    }
    if infeasible.reason == "structure" {
        let text = "a record that would have to be opened excludes addresses before a term that stays live, or repeats a \
                    question that cannot be moved: ask for a smaller reserve, so that it stays live itself";
        add("reserve", None, text.to_owned());
    }
    let domain = space.tree.records.first().map_or(0, |root| root.domain.wire_octets());
    let ways: Vec<&str> = [
        // A higher one than the default makes no more room.
        (space.room.apex < RECOMMENDED_OCTETS, "raise --octets"),
        (space.most_records < usize::MAX && !space.is_renamed, "raise --max-records"),
        (infeasible.allowed.0 < profile.lookups, "lower the reserve"),
        (space.room.apex_taken > domain, "move other strings away from the name"),
    ]
    .into_iter()
    .filter_map(|(helps, way)| helps.then_some(way))
    .collect();
    if infeasible.reason == "size" && (space.is_renamed || !ways.is_empty()) {
        let (octets, allowed) = (infeasible.octets, infeasible.allowed.2);
        let ways = if ways.is_empty() { String::new() } else { format!(": {}", ways.join(", or ")) };
        let because = if space.is_renamed {
            ", and no extra record can stand below a DNAME record (RFC 6672 section 2.4)"
        } else {
            ""
        };
        add(
            "records",
            None,
            format!("the text needs {octets} octets where {allowed} are allowed{because}{ways}"),
        );
    }
    remedies
}

/// What the catalogue suggests for providers that the record itself names, one for each.
fn suggested<'s>(space: &'s Space<'_>) -> Vec<(&'s DomainName, String)> {
    let own = space.tree.records.iter().take(1).flat_map(Source::terms);
    let mut seen = BTreeSet::new();
    let targets = own.filter_map(|number| space.tree.terms.get(number)?.target.as_ref());
    targets
        .filter_map(|target| {
            let provider = provider::of(target)?;
            Some((target, provider.without_term(target).filter(|_| seen.insert(provider.id))?))
        })
        .collect()
}
