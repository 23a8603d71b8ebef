//! Drawn trees: nothing that can be opened instead is better, and an independent reading of RFC 7208 agrees with what is proposed.

use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};

use proptest::prelude::*;

use sendershift::dns::{Evidence, Overlay, Quality, Records, RrSet, Snapshot};
use sendershift::error::Error;
use sendershift::name::DomainName;
use sendershift::spf::{CompactRequest, Compacted, Policy, Profile, SpfResult, Subject, compact};
use sendershift_tests::oracle::draw::Draw;
use sendershift_tests::oracle::evaluate::{Limits, check as oracle, explore};
use sendershift_tests::oracle::read;
use sendershift_tests::oracle::tree::{Client, Domain, Name, Tree};

use super::{dns, lookups, texts};

fn policies(evidence: &impl Evidence) -> Policy {
    Policy::compile(evidence, &"d.example".parse().unwrap()).unwrap()
}

#[derive(Clone, Debug)]
struct Trees(Vec<String>);

/// Trees of few addresses, so that everything meets.
fn trees() -> impl Strategy<Value = Trees> {
    let qualifier = prop_oneof![4 => Just(""), 1 => Just("-"), 1 => Just("~"), 1 => Just("?")];
    let term = (qualifier, 0..11usize, 0..16usize, 0..6usize).prop_map(|(qualifier, kind, net, name)| {
        let length = [32, 31, 30, 29, 28][net % 5];
        match kind {
            0..=3 => format!("{qualifier}ip4:192.0.2.{net}/{length}"),
            4 => format!("{qualifier}ip6:2001:db8::{net:x}/{}", 96 + length),
            5..=8 => format!("{qualifier}include:r{name}.example"),
            9 => format!("{qualifier}exists:%{{i}}.%{{d}}"),
            _ => format!("{qualifier}a:h{}.example", name % 2),
        }
    });
    let end = prop_oneof![
        3 => Just(" -all".to_owned()), 2 => Just(" ~all".to_owned()), 1 => Just(String::new()),
        1 => (0..6usize).prop_map(|name| format!(" redirect=r{name}.example"))
    ];
    let record = (prop::collection::vec(term, 0..5), end);
    let record = record.prop_map(|(terms, end)| format!("v=spf1 {}{end}", terms.join(" ")));
    prop::collection::vec(record, 7).prop_map(Trees)
}

impl Trees {
    fn dns(&self) -> Snapshot {
        let mut lines = vec![format!("d.example {}", self.0[0]), "h0.example A 192.0.2.3".to_owned()];
        lines.extend(self.0[1..].iter().enumerate().map(|(at, record)| format!("r{at}.example {record}")));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        dns(&lines)
    }
}

/// Trees as providers publish them: networks that pass, mostly in blocks of their own, of which some touch.
fn plain_trees() -> impl Strategy<Value = Trees> {
    let term = |record: usize| {
        (0..14usize, 0..8usize, 0..6usize).prop_map(move |(kind, net, name)| match kind {
            0..=4 => format!("ip4:10.{record}.{}.0/{}", net * 2, 23 + net % 2),
            5 => format!("ip4:10.9.0.{}/{}", net * 4, 30 - net % 2),
            6 => format!("ip4:10.9.{net}.{}", name * 7),
            7 => format!("ip6:2001:db8:{record}::{net:x}"),
            8 => format!("exists:%{{i}}.e{record}.%{{d}}"),
            // Most refer to others further down, each to one of its own.
            9 | 10 if record > 0 => format!("include:r{}.example", (2 * record + name % 2).min(5)),
            11 if record > 0 => format!("ip4:10.{record}.{net}.1"),
            _ if record == 0 => format!("include:r{name}.example"),
            _ => format!("ip4:10.{record}.{}.0/24", net * 2 + 1),
        })
    };
    let record = move |record: usize| {
        let end = prop_oneof![4 => Just(" ~all"), 2 => Just(" -all"), 1 => Just("")];
        let count = if record == 0 { 2..7 } else { 0..6usize };
        (prop::collection::vec(term(record), count), end)
            .prop_map(|(terms, end)| format!("v=spf1 {}{end}", terms.join(" ")))
    };
    (0..7usize).map(record).collect::<Vec<_>>().prop_map(Trees)
}

/// Compares with each choice of what to open.
fn nothing_is_better(trees: &Trees, request: &CompactRequest) -> Result<(), TestCaseError> {
    let evidence = trees.dns();
    let subject = Subject::parse("d.example", None).unwrap();
    let all: Vec<DomainName> = (0..6).map(|at| format!("r{at}.example").parse().unwrap()).collect();
    let is_there = |name: &&DomainName| {
        let request = CompactRequest { keep: vec![(*name).clone()], ..request.clone() };
        compact(&evidence, &subject, &request).is_ok()
    };
    let names: Vec<DomainName> = all.iter().filter(is_there).cloned().collect();
    let Ok(found) = compact(&evidence, &subject, request) else { return Ok(()) };
    // What is left out as it decides nothing counts as changed, and is not where it is kept.
    if found.unchanged || !found.idle.is_empty() {
        return Ok(());
    }
    let choices = (0..1usize << names.len()).filter_map(|choice| {
        let (flatten, keep): (Vec<_>, Vec<_>) =
            names.iter().cloned().enumerate().partition(|(at, _)| choice >> at & 1 == 1);
        let names =
            |list: Vec<(usize, DomainName)>| list.into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        let count = flatten.len();
        let request = CompactRequest { flatten: names(flatten), keep: names(keep), ..request.clone() };
        let mut objective = compact(&evidence, &subject, &request).unwrap().proof.objective?;
        objective.frozen = count;
        Some(objective)
    });
    let best = choices.min();
    // What is kept stays where it decides nothing: what is found may be better.
    if found.proof.minimal == "proven"
        && let Some(best) = best
    {
        prop_assert!(
            found.proof.objective.is_some_and(|found| found <= best),
            "{best:?} {found:?} {trees:?}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_choice_of_what_to_open_is_better(trees in trees(), most in 0..4u32) {
        nothing_is_better(&trees, &lookups(most))?;
    }

    #[test]
    fn no_choice_is_better_where_extra_records_are_needed(
        trees in plain_trees(), most in 0..5u32, octets in prop::option::of(60..160usize)
    ) {
        nothing_is_better(&trees, &CompactRequest { octets, ..lookups(most) })?;
    }

    #[test]
    fn every_address_keeps_its_intended_result(trees in trees(), most in 0..6u32) {
        let evidence = trees.dns();
        let request = lookups(most);
        let found = match compact(&evidence, &Subject::parse("d.example", None).unwrap(), &request) {
            Ok(found) => found,
            Err(Error::Invalid(invalid)) if invalid.problems[0].code == "spf.too-complex" => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        let mut told = String::new();
        let _ = write!(told, "{:?}", texts(&found));
        prop_assert_eq!(found.records.is_empty(), found.infeasible.is_some(), "{}", told);
        if found.records.is_empty() {
            return Ok(());
        }
        prop_assert!(found.proof.equivalent, "{}", told);
        let mut then = Overlay::new(&evidence);
        for rrset in &found.records {
            then.publish(&rrset.name, RrSet::new(Records::Txt(rrset.records.clone()), rrset.ttl, Quality::Authoritative));
        }
        let (before, after) = (policies(&evidence), policies(&then));
        prop_assert_eq!(before.intended(), after.intended(), "{}", told);
        let mut limits = Profile::RFC7208;
        limits.lookups = most;
        prop_assert_eq!(after.under(&limits), after.intended(), "{}", told);
        prop_assert!(after.under(&limits).sometimes(SpfResult::Pass) == before.intended().sometimes(SpfResult::Pass));
    }
}

/// What a limit on the way makes of a record; without one, what it intends.
fn limits(lookups: u32, voids: u32) -> Limits {
    Limits { lookups, written: false, voids, queries: false, mx_names: 10.max(voids), mx_addresses: u32::MAX }
}

const LIFTED: u32 = 10_000;

/// The drawn tree with the proposed records in it.
fn proposed(tree: &Tree, found: &Compacted) -> Tree {
    let extras: Vec<(String, usize)> = found
        .records
        .iter()
        .skip(1)
        .enumerate()
        .map(|(at, rrset)| (rrset.name.to_string(), tree.domains.len() + 20 + at))
        .collect();
    let mut new = tree.clone();
    new.domains.resize(tree.domains.len() + 20, Domain::Nothing);
    for (at, text) in texts(found).iter().enumerate() {
        let record = Domain::Record(read::record(text, &extras));
        if at == 0 {
            new.domains[0] = record;
        } else {
            new.domains.push(record);
        }
    }
    new
}

/// What is proposed for drawn trees, judged by code that shares nothing with ours.
#[test]
fn the_oracle_agrees_with_what_is_proposed() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let first = number("PROPTEST_RNG_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
    let cases = number("SENDERSHIFT_ORACLE_CASES").unwrap_or(4_000) / 4;
    let (mut rewritten, mut extra, mut compared) = (0u64, 0u64, 0u64);
    for seed in first..first + cases {
        let mut draw = Draw::new(seed);
        let tree = draw.tree();
        let evidence = Snapshot::from_json(&tree.snapshot()).unwrap();
        let most = u32::try_from(draw.below(5)).unwrap();
        let mut request = lookups(most);
        if draw.percent(40) {
            // So little room that extra records are needed.
            request = CompactRequest { octets: Some(60 + draw.below(60)), ..request };
        }
        let subject = Subject::parse("d0.example", None).unwrap();
        // Trees with failed answers are no evidence, and broken records none to rewrite.
        let Ok(found) = compact(&evidence, &subject, &request) else { continue };
        if found.records.is_empty() || found.unchanged {
            continue;
        }
        rewritten += 1;
        extra += u64::from(found.records.len() > 1);
        let new = proposed(&tree, &found);
        for client in Client::all() {
            let both = explore(600, |world| {
                let before = oracle(&tree, client, &limits(LIFTED, LIFTED), world)?;
                let after = oracle(&new, client, &limits(LIFTED, LIFTED), world)?;
                let actual = oracle(&new, client, &limits(most, 2), world)?.outcome;
                let is_extra =
                    |name: &Option<Name>| matches!(name, Some(Name::Domain(n)) if *n >= tree.domains.len());
                let more = after.asked.difference(&before.asked).find(|name| !is_extra(name)).copied();
                Ok((before.outcome, after.outcome, actual, more))
            });
            for (world, (before, after, actual, more)) in both.into_iter().flatten() {
                compared += 1;
                let told = || format!("seed {seed}: {} becomes {:?}", tree.snapshot(), texts(&found));
                assert_eq!(before, after, "{:?} in {world:?}\n{}", client.address(), told());
                assert_eq!(actual, after, "{:?} in {world:?}\n{}", client.address(), told());
                assert_eq!(
                    more,
                    None,
                    "an error there is new to {:?} in {world:?}\n{}",
                    client.address(),
                    told()
                );
            }
        }
    }
    println!(
        "{rewritten} of {cases} records rewritten, {extra} with extra records; {compared} results compared"
    );
    assert!(rewritten * 20 > cases && extra > 0, "too few records are rewritten");
}
