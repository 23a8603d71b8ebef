//! `Deciders` against `check` and its trace, for drawn include trees and every address of a small space: which terms decide,
//! which turn away, and that what is idle can go.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it does not expect")]
#![expect(clippy::print_stdout, reason = "what occurred how often belongs to the result")]

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use sendershift::dns::{Overlay, Quality, Records, RrSet, Snapshot};
use sendershift::error::Span;
use sendershift::name::DomainName;
use sendershift::spf::{
    Branch, Case, Deciders, Decision, DomainSpec, MacroContext, Outcome, Policy, Profile, Query, Role,
    SpfRecord, TermRole, TraceLog, TraceStep, Turnout, Unknown, check_traced, lint,
};
use sendershift_tests::on_all_cores;
use sendershift_tests::oracle::draw::Draw;
use sendershift_tests::oracle::tree::{Client, Domain, Term, Tree, record};

const CASES: u64 = 1_500;

/// A term, by the domain of its record and its place there.
type Key = (DomainName, Span);

/// The terms that decided, by a trace: the last ones at each depth, as long as they ended the evaluation.
fn chain(steps: &[TraceStep]) -> Vec<Key> {
    let (mut chain, mut rest, mut depth) = (Vec::new(), steps, 0);
    while let Some(at) = rest.iter().rposition(|step| step.depth == depth) {
        let step = &rest[at];
        if step.outcome == Some(Outcome::NoMatch) {
            break;
        }
        chain.push((step.domain.clone(), step.span));
        (rest, depth) = (&rest[at + 1..], depth + 1);
    }
    chain
}

/// The terms that matched first in their record, or that an error came from, whatever came of it.
fn met(steps: &[TraceStep]) -> impl Iterator<Item = Key> {
    let met = steps.iter().filter(|step| !matches!(step.outcome, Some(Outcome::NoMatch)));
    met.map(|step| (step.domain.clone(), step.span))
}

/// Publishes what makes an unknown turn out so; `None` where this test does not know how.
fn assume(evidence: &mut Overlay<&Snapshot>, ip: IpAddr, case: &(Unknown, Branch)) -> Option<()> {
    let (unknown, branch) = case;
    let (sender, spec): (DomainName, DomainSpec) =
        ("d0.example".parse().unwrap(), unknown.target.parse().ok()?);
    let context = MacroContext {
        local_part: "user",
        sender_domain: &sender,
        domain: &sender,
        ip,
        helo: "helo.example",
        validated: None,
        receiver: None,
        timestamp: 0,
    };
    let name = spec.expand(&context).ok()?;
    match (unknown.mechanism, branch.turnout, branch.void_queries) {
        ("exists", Turnout::Match, 0) => {
            let address = Records::A(vec![[127, 0, 0, 2].into()]);
            evidence.publish(&name, RrSet::new(address, None, Quality::Cached));
            Some(())
        }
        // Nothing is there in a closed snapshot.
        ("exists", Turnout::NoMatch, 1) => Some(()),
        _ => None,
    }
}

#[derive(Default)]
struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }
}

struct Trial {
    seed: u64,
    tree: Tree,
    dns: Snapshot,
    deciders: Deciders,
    roles: Vec<TermRole>,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let tree = Draw::new(seed).tree();
        let dns = Snapshot::from_json(&tree.snapshot()).unwrap();
        let deciders = Deciders::compile(&dns, &"d0.example".parse().unwrap()).unwrap();
        let roles = deciders.terms();
        Self { seed, tree, dns, deciders, roles }
    }

    fn told(&self) -> String {
        format!("seed {}: {}", self.seed, self.tree.snapshot())
    }

    /// The chain of a case is that of `check` in a world in which the unknowns turn out so.
    fn case(&self, ip: IpAddr, case: &Case<Decision>, tally: &mut Tally) -> Option<Vec<TraceStep>> {
        let mut evidence = Overlay::new(&self.dns);
        let mut names: BTreeMap<String, Turnout> = BTreeMap::new();
        for assumed in &case.assuming {
            assume(&mut evidence, ip, assumed)?;
            // `%{i}` and `%{ir}` are one name for some addresses.
            names.insert(assumed.0.target.clone(), assumed.1.turnout);
        }
        let is_palindrome = names.keys().any(|name| name.contains("%{ir}"));
        if is_palindrome && names.keys().any(|name| name.contains("%{i}")) {
            return None;
        }
        let mut log = TraceLog::default();
        let query = Query::new(ip, "user@d0.example", "helo.example");
        let checked = check_traced(&evidence, &query, &Profile::LIFTED, &mut log).unwrap();
        let told = || format!("{ip}: {case:?}\n{:?}\n{}", log.steps, self.told());
        assert_eq!(checked.result, case.leaf.leaf.result, "{}", told());
        assert_eq!(checked.lookups, case.leaf.leaf.spent.lookups, "{}", told());
        let by: Vec<Key> = case.leaf.by.iter().filter_map(|by| Some((by.domain.clone(), by.span?))).collect();
        assert_eq!(chain(&log.steps), by, "{}", told());
        tally.count(if case.assuming.is_empty() { "chains" } else { "chains with unknowns" });
        Some(log.steps)
    }

    /// Every client's chains; where nothing is unknown the traces say exactly what each term can do.
    fn chains(&self, tally: &mut Tally) {
        let (mut decide, mut meet, mut is_whole) = (BTreeSet::new(), BTreeSet::new(), true);
        for client in Client::all() {
            for case in self.deciders.at(client.address()) {
                match self.case(client.address(), &case, tally) {
                    Some(steps) => {
                        decide.extend(chain(&steps));
                        meet.extend(met(&steps));
                    }
                    None => is_whole = false,
                }
            }
        }
        for role in &self.roles {
            let key = (role.domain.clone(), role.span);
            let found = match (decide.contains(&key), meet.contains(&key)) {
                (true, _) => Role::Decides,
                (false, true) => Role::TurnsAway,
                (false, false) => Role::Idle,
            };
            // Of what not every world was looked at more may be true.
            assert!(
                if is_whole { found == role.role } else { found >= role.role },
                "{role:?}, not {found:?}\n{}",
                self.told()
            );
            tally.count(match role.role {
                Role::Decides => "decides",
                Role::TurnsAway => "turns away",
                Role::Idle => "idle",
                _ => "not judged",
            });
        }
    }

    /// Without a term that is idle the intention is the same.
    fn idle(&self, tally: &mut Tally) {
        let domain: DomainName = "d0.example".parse().unwrap();
        let intended = self.deciders.policy().intended();
        for role in self.roles.iter().filter(|role| role.role == Role::Idle) {
            let text = role.domain.as_str();
            let n: usize = text.trim_start_matches('d').trim_end_matches(".example").parse().unwrap();
            let Domain::Record(terms) = &self.tree.domains[n] else { continue };
            let parsed = SpfRecord::parse(record(terms).as_bytes()).unwrap();
            let at = parsed.terms().iter().position(|term| term.span == role.span).unwrap();
            let mut fewer: Vec<Term> = terms.clone();
            fewer.remove(at);
            let mut tree = self.tree.clone();
            tree.domains[n] = Domain::Record(fewer);
            let without = Snapshot::from_json(&tree.snapshot()).unwrap();
            let without = Policy::compile(&without, &domain).unwrap().intended();
            assert!(without == intended, "{role:?} is needed\n{}", self.told());
            tally.count("idle terms left out");
        }
    }

    /// What lint calls unreachable is idle here.
    fn lint(&self, tally: &mut Tally) {
        let report = lint(&self.dns, "d0.example", None, &Profile::RFC7208).unwrap();
        for finding in &report.findings {
            let code = finding.problem.code;
            if !matches!(
                code,
                "spf.unreachable" | "spf.duplicate-term" | "spf.after-all" | "spf.redirect-with-all"
            ) {
                continue;
            }
            let is_it =
                |role: &&TermRole| role.domain == finding.name && Some(role.span) == finding.problem.span;
            // A record that nothing gets to has no roles.
            let Some(role) = self.roles.iter().find(is_it) else { continue };
            assert_eq!(role.role, Role::Idle, "{finding:?}\n{}", self.told());
            tally.count("findings that agree");
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn terms_decide_as_check_says_and_idle_ones_can_go() {
    let first = number("PROPTEST_RNG_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
    let cases = number("SENDERSHIFT_ORACLE_CASES").unwrap_or(CASES);
    let tallies = on_all_cores(&(first..first + cases), |seeds| {
        let mut tally = Tally::default();
        for seed in seeds {
            let trial = Trial::new(seed);
            let policy = Policy::compile(&trial.dns, &"d0.example".parse().unwrap()).unwrap();
            assert!(trial.deciders.policy() == policy, "another policy\n{}", trial.told());
            trial.chains(&mut tally);
            trial.idle(&mut tally);
            trial.lint(&mut tally);
        }
        tally
    });
    let mut tally = Tally::default();
    for (what, count) in tallies.into_iter().flat_map(|tally| tally.0) {
        *tally.0.entry(what).or_default() += count;
    }
    println!("{cases} cases from seed {first}: {:?}", tally.0);
    for what in [
        "chains",
        "chains with unknowns",
        "decides",
        "turns away",
        "idle",
        "idle terms left out",
        "findings that agree",
    ] {
        let count = tally.0.get(what).copied().unwrap_or(0);
        assert!(count >= cases / 20, "{what}: only {count}");
    }
}
