//! What `check` and `Policy` say of many clients, for a second opinion that asks (`tests/pyspf`).
//!
//! Reads one document a line and answers each with one: the results of `check` for clients drawn at the borders of the
//! policy, at random and as told; and those of the policy's cases whose assumptions hold in the same DNS.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool of the tests: it stops at what it does not expect"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sendershift::dns::{Overlay, Quality, Records, RrSet, Snapshot, Txt};
use sendershift::name::DomainName;
use sendershift::net::Family;
use sendershift::spf::{
    Branch, Case, Policy, Profile, Query, Results, SpfResult, TraceLog, Turnout, Unknown, VoidUnit, check,
    check_traced,
};
use serde::{Deserialize, Serialize};

/// A tree of records and a message.
#[derive(Deserialize)]
struct Asked {
    dns: serde_json::Value,
    mail_from: String,
    helo: String,
    /// These clients,
    clients: Vec<IpAddr>,
    /// and so many more, drawn from this seed.
    draw: usize,
    seed: u64,
}

impl Asked {
    fn query(&self, ip: IpAddr) -> Query {
        Query::new(ip, &self.mail_from, &self.helo)
    }
}

/// What we say of one client: at a receiver like pyspf, and without limits.
#[derive(Serialize)]
struct Client {
    ip: IpAddr,
    actual: Opinions,
    intended: Opinions,
}

#[derive(Serialize)]
struct Opinions {
    check: SpfResult,
    /// Why, where it is an error.
    problem: Option<&'static str>,
    /// The results of the policy's cases that hold in this DNS.
    policy: BTreeSet<SpfResult>,
    /// Whether the DNS settles which case holds. It does not where a policy tells only the extremes of what a term costs.
    settled: bool,
    /// Whether the check ended at a query that depends on the message and fails, which a policy leaves out.
    failed: bool,
}

fn main() {
    for line in std::io::stdin().lock().lines() {
        let asked: Asked = serde_json::from_str(&line.unwrap()).unwrap();
        println!("{}", serde_json::to_string(&answer(&asked)).unwrap());
    }
}

fn answer(asked: &Asked) -> Vec<Client> {
    let dns = Snapshot::from_json(&asked.dns.to_string()).unwrap();
    let policy = Policy::compile(&dns, asked.query(Ipv4Addr::LOCALHOST.into()).domain().unwrap()).unwrap();
    let (receiver, lifted) = (Profile::named("pyspf").unwrap(), Profile::LIFTED);
    let (actual, intended) = (policy.under(receiver), policy.intended());
    let mut clients = asked.clients.clone();
    clients.extend(drawn(&[&actual, &intended], asked.draw, Draw(asked.seed | 1)));
    let opinions = |ip, results: &Results, profile, turned: &mut BTreeMap<Unknown, Turned>| {
        let mut trace = TraceLog::default();
        let checked = check_traced(&dns, &asked.query(ip), profile, &mut trace).unwrap();
        let (mut settled, mut policy) = (true, BTreeSet::new());
        for Case { assuming, leaf, .. } in results.at(ip) {
            let turnouts = assuming.into_iter().map(|(unknown, branch)| {
                turned
                    .entry(unknown)
                    .or_insert_with_key(|unknown| turn(&dns, asked, ip, unknown))
                    .fits(branch)
            });
            let fits = turnouts.fold(Fits::Exactly, Ord::min);
            settled &= fits != Fits::Perhaps;
            if fits != Fits::No {
                policy.insert(leaf);
            }
        }
        let last = trace.steps.last().is_some_and(|step| step.term.contains('%'));
        let failed = checked.result == SpfResult::TempError && last;
        let problem = checked.problem.map(|problem| problem.code);
        Opinions { check: checked.result, problem, policy, settled, failed }
    };
    let client = |ip| {
        let mut turned = BTreeMap::new();
        let actual = opinions(ip, &actual, receiver, &mut turned);
        Client { ip, actual, intended: opinions(ip, &intended, &lifted, &mut turned) }
    };
    clients.into_iter().map(client).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fits {
    No,
    Perhaps,
    Exactly,
}

/// How an unknown turns out for one client.
struct Turned {
    turnout: Turnout,
    void_queries: u32,
    /// Whether the policy knows a turnout of exactly this cost; where it does not, it tells the extremes.
    exact: bool,
    /// Whether the query for it fails, which is no turnout.
    failed: bool,
}

impl Turned {
    fn fits(&self, branch: Branch) -> Fits {
        if self.failed {
            Fits::Perhaps
        } else if branch.turnout != self.turnout || self.exact && branch.void_queries != self.void_queries {
            Fits::No
        } else if self.exact {
            Fits::Exactly
        } else {
            Fits::Perhaps
        }
    }
}

/// Judges the one term with the unknown, in place of the record that it comes from.
fn turn(dns: &Snapshot, asked: &Asked, ip: IpAddr, unknown: &Unknown) -> Turned {
    let Unknown { mechanism, target, cidr, asked_at, .. } = unknown;
    let record = match *mechanism {
        "redirect" => format!("v=spf1 redirect={target}"),
        _ => format!("v=spf1 {mechanism}:{target}{cidr} -all"),
    };
    let mut evidence = Overlay::new(dns);
    let mut publish = |name: &DomainName, record: &str| {
        let texts = Records::Txt(vec![Txt::from_text(&record.replace('\\', "\\\\")).unwrap()]);
        evidence.publish(name, RrSet::new(texts, None, Quality::Cached));
    };
    let query = asked.query(ip);
    let domain = query.domain().unwrap();
    match asked_at.as_ref().filter(|asking| *asking != domain) {
        Some(asking) => {
            publish(domain, &format!("v=spf1 redirect={asking}"));
            publish(asking, &record);
        }
        None => publish(domain, &record),
    }
    let mut profile = Profile::LIFTED;
    profile.void_unit = VoidUnit::Query;
    let checked = check(&evidence, &query, &profile).unwrap();
    let turnout = match (*mechanism, checked.result) {
        ("redirect", result) => Turnout::Result(result),
        (_, SpfResult::Pass) => Turnout::Match,
        (_, SpfResult::Fail) => Turnout::NoMatch,
        (_, result) => Turnout::Result(result),
    };
    let alike: Vec<Branch> =
        unknown.branches().into_iter().filter(|branch| branch.turnout == turnout).collect();
    // What the records behind such a name cost is not known.
    let bounded = !matches!(*mechanism, "include" | "redirect" | "mx");
    Turned {
        turnout,
        void_queries: checked.voids,
        exact: bounded && alike.iter().any(|branch| branch.void_queries == checked.voids),
        failed: alike.is_empty() && checked.result == SpfResult::TempError,
    }
}

/// Clients on both sides of borders, and at random.
fn drawn(results: &[&Results], count: usize, mut draw: Draw) -> Vec<IpAddr> {
    let mut borders: Vec<IpAddr> = Vec::new();
    for (range, _) in results.iter().flat_map(|results| results.runs()) {
        borders.extend([range.first(), range.last()]);
    }
    borders.sort_unstable();
    borders.dedup();
    let mut clients = Vec::new();
    while clients.len() < count {
        let at = draw.below(borders.len());
        let ip = match clients.len() % 4 {
            0 => draw.any(Family::V4),
            1 if draw.below(4) == 0 => draw.any(Family::V6),
            _ => borders.get(at).copied().unwrap(),
        };
        clients.push(ip);
    }
    clients
}

/// A small generator of numbers (xorshift): the same seed gives the same clients.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count).unwrap()).unwrap()
    }

    fn any(&mut self, family: Family) -> IpAddr {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits >> 96).unwrap())),
            Family::V6 => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }
}
