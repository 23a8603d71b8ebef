//! `Policy` and `diff` against a second, slow and plain reading of SPF: for random trees, every address of a small space
//! and every world.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test stops at what it does not expect")]
#![expect(clippy::print_stdout, reason = "what occurred how often belongs to the result")]

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};

use sendershift::dns::Snapshot;
use sendershift::name::DomainName;
use sendershift::spf::{
    Assumed, Branch, Compared, Counting, Difference, Policy, Profile, Query, SpfResult, Subject, Turnout,
    Unknown, Verdict, VoidUnit, check, diff,
};
use sendershift_tests::on_all_cores;
use sendershift_tests::oracle::draw::Draw;
use sendershift_tests::oracle::evaluate::{Limits, check as slow_check, explore};
use sendershift_tests::oracle::tree::{Client, Domain, Tree, record};
use sendershift_tests::oracle::{Kind, Outcome, Question, World};

/// Worlds of one address; where there are more, the address is left out.
const MOST_WORLDS: usize = 600;

/// Drawn cases where `SENDERSHIFT_ORACLE_CASES` says nothing.
const CASES: u64 = 4_000;

fn limits(profile: &Profile) -> Limits {
    Limits {
        lookups: profile.lookups,
        written: profile.counting == Counting::Written,
        voids: profile.voids,
        queries: profile.void_unit == VoidUnit::Query,
        mx_names: profile.mx_names,
        mx_addresses: profile.mx_addresses,
    }
}

/// Whether a world is one of those in which the unknowns turn out so; a question that it does not answer may go either way.
fn is_consistent(world: &World, unknown: &Unknown, branch: Branch) -> bool {
    let answer =
        |mechanism: &'static str, target: &str| world.get(&Question { mechanism, target: target.to_owned() });
    let Some(answered) = answer(unknown.mechanism, &unknown.target) else {
        return unknown.mechanism != "ptr" || reverse(world, branch);
    };
    let kind = match branch.turnout {
        Turnout::Match => Kind::Match,
        Turnout::NoMatch => Kind::NoMatch,
        Turnout::Result(result) => Kind::Result(
            Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == result.as_str()).unwrap(),
        ),
        other => panic!("{other:?}"),
    };
    let voids = unknown.mechanism == "ptr" || answered.voids == branch.void_queries;
    answered.kind == kind && voids && (unknown.mechanism != "ptr" || reverse(world, branch))
}

/// Whether the reverse lookup has as many void queries as a branch says, three standing for more.
fn reverse(world: &World, branch: Branch) -> bool {
    let reverse = Question { mechanism: "reverse", target: String::new() };
    world.get(&reverse).is_none_or(|answer| answer.voids.min(3) == branch.void_queries.min(3))
}

fn is_cheap(world: &World) -> bool {
    world.values().all(|answer| answer.cost == 0)
}

fn assumed(world: &World, assuming: &[Assumed]) -> bool {
    assuming.iter().all(|assumed| is_consistent(world, &assumed.unknown, assumed.branch))
}

#[derive(Default)]
struct Tally {
    cases: u64,
    met: BTreeMap<String, u64>,
}

impl Tally {
    fn case(&mut self, met: BTreeSet<String>) {
        self.cases += 1;
        for what in met {
            *self.met.entry(what).or_default() += 1;
        }
    }

    fn share(&self, what: &str) -> f64 {
        let count = |number: u64| f64::from(u32::try_from(number).unwrap());
        100.0 * count(self.met.get(what).copied().unwrap_or(0)) / count(self.cases.max(1))
    }
}

/// A case of the test: how it failed names the seed, which draws it again.
struct Trial {
    seed: u64,
    left: Tree,
    right: Tree,
    met: BTreeSet<String>,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let left = draw.tree();
        let mut right = left.clone();
        let terms = match left.domains.first() {
            Some(Domain::Record(terms)) => terms.clone(),
            _ => draw.record(0),
        };
        let mut changed = draw.changed(&left, &terms);
        if draw.percent(30) {
            changed = draw.changed(&left, &changed);
        }
        if draw.percent(3) {
            changed = draw.record(0);
        }
        right.domains[0] = Domain::Record(changed);
        Self { seed, left, right, met: BTreeSet::new() }
    }

    fn met(&mut self, what: impl Into<String>) {
        self.met.insert(what.into());
    }

    fn told(&self) -> String {
        format!("seed {}: {}\nagainst {:?}", self.seed, self.left.snapshot(), self.right.domains[0])
    }

    /// The policy has the result of the oracle, in every world.
    fn policy(&mut self, dns: &Snapshot, domain: &DomainName) {
        let policy = Policy::compile(dns, domain).unwrap();
        for profile in [&Profile::LIFTED, &Profile::RFC7208, &Profile::STRICT] {
            let (limits, results) = (limits(profile), policy.under(profile));
            for client in Client::all() {
                let find = |world: &World| slow_check(&self.left, client, &limits, world);
                let Some(worlds) = explore(MOST_WORLDS, find) else {
                    self.met("too many worlds");
                    continue;
                };
                let cases = results.at(client.address());
                for (world, found) in worlds {
                    self.met.extend(found.met.iter().map(|met| (*met).to_owned()));
                    self.met.insert(format!("result {}", found.outcome.as_str()));
                    if !is_cheap(&world) {
                        continue;
                    }
                    let mut fitting = cases.iter().filter(|case| {
                        case.assuming.iter().all(|(unknown, branch)| is_consistent(&world, unknown, *branch))
                    });
                    let is_right = |leaf: SpfResult| leaf.as_str() == found.outcome.as_str();
                    let mut count = 0;
                    assert!(
                        fitting.all(|case| {
                            count += 1;
                            is_right(case.leaf)
                        }),
                        "{:?} at {profile:?} in {world:?}: {:?}, not {cases:?}\n{}",
                        client.address(),
                        found.outcome,
                        self.told()
                    );
                    assert!(count > 0, "no case for {world:?} among {cases:?}\n{}", self.told());
                }
            }
        }
    }

    /// The worlds of both sides together, with both results.
    fn both(&self, client: Client, limits: &Limits) -> Option<Vec<(World, (Outcome, Outcome))>> {
        explore(MOST_WORLDS, |world| {
            let left = slow_check(&self.left, client, limits, world)?.outcome;
            let right = slow_check(&self.right, client, limits, world)?.outcome;
            Ok((left, right))
        })
    }

    /// The difference is that of the oracle, address by address.
    fn diff(&mut self, dns: &Snapshot, domain: &DomainName, profile: &'static Profile) {
        let left = Subject::parse("d0.example", None).unwrap();
        let Some(Domain::Record(terms)) = self.right.domains.first() else { return };
        let right = Subject::parse(&record(terms), Some(domain.clone())).unwrap();
        let compared = if profile.name == "lifted" { Compared::Intended } else { Compared::Actual(profile) };
        let difference = diff(dns, &left, &right, compared).unwrap();
        self.met(match difference.verdict {
            Verdict::Equivalent => "diff: equivalent",
            Verdict::Different => "diff: different",
            Verdict::Undecided => "diff: undecided",
        });
        let limits = limits(profile);
        for client in Client::all() {
            let ip = client.address();
            let Some(worlds) = self.both(client, &limits) else { continue };
            let differs = worlds.iter().any(|(_, (left, right))| left != right);
            let listed = difference.ranges.iter().any(|range| range.range.contains(ip));
            let in_doubt = difference.doubts.iter().any(|doubt| doubt.range.contains(ip));
            if listed {
                let cheap = worlds.iter().any(|(world, (left, right))| is_cheap(world) && left != right);
                assert!(cheap, "{ip} does not differ at {}: {difference:?}\n{}", profile.name, self.told());
            } else if !in_doubt {
                assert!(!differs, "{ip} differs at {}: {difference:?}\n{}", profile.name, self.told());
            } else {
                self.met(if differs {
                    "diff: doubt, and a difference"
                } else {
                    "diff: doubt without a difference"
                });
            }
        }
        self.confirm(&difference, &limits, profile, dns, &right);
    }

    /// Every witness is one, and one without assumptions is one for `check` too.
    fn confirm(
        &mut self,
        difference: &Difference,
        limits: &Limits,
        profile: &Profile,
        dns: &Snapshot,
        right: &Subject,
    ) {
        let Some(witness) = &difference.witness else {
            assert_ne!(difference.verdict, Verdict::Different);
            return;
        };
        let (case, ip) = (&witness.case, witness.ip);
        let client = Client::at(ip);
        if let Some(worlds) = self.both(client, limits) {
            let fitting =
                worlds.iter().filter(|(world, _)| is_cheap(world) && assumed(world, &case.assuming));
            let mut count = 0;
            for (world, (left, right)) in fitting {
                count += 1;
                let found = (left.as_str(), right.as_str());
                let told = (case.left.as_str(), case.right.as_str());
                assert_eq!(found, told, "{ip} in {world:?}: {witness:?}\n{}", self.told());
            }
            assert!(count > 0, "no such world: {witness:?}\n{}", self.told());
        }
        if case.assuming.is_empty() {
            self.met("diff: witness confirmed by check");
            let query = Query::new(ip, "user@d0.example", "helo.example");
            let overlay = right.publish_on(dns);
            let checked = |result: SpfResult, other: SpfResult| assert_eq!(result, other, "{}", self.told());
            checked(check(dns, &query, profile).unwrap().result, case.left);
            checked(check(&overlay, &query, profile).unwrap().result, case.right);
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn policies_and_differences_are_those_of_the_oracle() {
    // What decides about a change draws the same cases every time; at a desk each run draws new ones.
    let first = number("PROPTEST_RNG_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
    let cases = number("SENDERSHIFT_ORACLE_CASES").unwrap_or(CASES);
    let domain: DomainName = "d0.example".parse().unwrap();
    let tallies = on_all_cores(&(first..first + cases), |seeds| {
        let mut tally = Tally::default();
        for seed in seeds {
            let mut trial = Trial::new(seed);
            let dns = Snapshot::from_json(&trial.left.snapshot()).unwrap();
            trial.policy(&dns, &domain);
            let profiles = [&Profile::RFC7208, &Profile::STRICT, &Profile::LIFTED];
            trial.diff(&dns, &domain, profiles[usize::try_from(seed % 3).unwrap()]);
            tally.case(trial.met);
        }
        tally
    });
    let mut all = Tally::default();
    for tally in tallies {
        all.cases += tally.cases;
        for (what, count) in tally.met {
            *all.met.entry(what).or_default() += count;
        }
    }
    println!("{} cases from seed {first}", all.cases);
    for what in all.met.keys() {
        println!("{:6.2} %  {what}", all.share(what));
    }
    for what in [
        "result none",
        "result neutral",
        "result pass",
        "result fail",
        "result softfail",
        "result temperror",
        "result permerror",
        "qualified include",
        "temperror from a failed answer",
        "negative term in an include",
        "nested negative term",
        "redirect without all",
        "redirect beside all",
        "loop",
        "include of an unknown name",
        "missing include",
        "void",
        "%{i}",
        "%{ir}",
        "%{v}",
        "%{l}",
        "%{d}",
        "exists",
        "ptr",
        "too many lookups",
        "too many voids",
        "diff: equivalent",
        "diff: different",
        "diff: witness confirmed by check",
    ] {
        assert!(all.share(what) >= 1.0, "{what} occurs in {:.2} % of the cases", all.share(what));
    }
    assert!(all.share("too many worlds") < 10.0, "the small space has become too large");
}
