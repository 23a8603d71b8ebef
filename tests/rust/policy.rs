//! `Policy` against `check`: for random include trees the two agree at every range boundary, for every receiver profile
//! and under every turnout of the unknowns.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]
#![expect(clippy::print_stdout, reason = "what occurred how often belongs to the result")]

mod estate;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Mutex;

use estate::estate;
use proptest::test_runner::{Config, TestRunner};
use proptest::{prop_assert, prop_assert_eq};
use sendershift::dns::{Overlay, Quality, RecordType, Records, RrSet, Snapshot, Txt};
use sendershift::name::DomainName;
use sendershift::spf::{
    Branch, MacroContext, Mechanism, Policy, Profile, Query, SpfRecord, SpfResult, Subject, TraceLog,
    Turnout, Unknown, check, check_traced, cost,
};

/// Evidence in which the unknown turns out, for this client, as assumed.
fn assume(evidence: &mut Overlay<&Snapshot>, ip: IpAddr, unknown: &Unknown, branch: Branch) {
    let address = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => Records::A(vec![ip]),
        IpAddr::V6(ip) => Records::Aaaa(vec![ip]),
    };
    let rrset = |records| RrSet::new(records, None, Quality::Cached);
    let host: DomainName = "named.example".parse().unwrap();
    if unknown.mechanism == "ptr" {
        let names = match (branch.turnout, branch.void_queries) {
            (Turnout::NoMatch, 1) => return,
            (turnout, voids) => {
                let name = if turnout == Turnout::Match {
                    host.prefixed("v").unwrap()
                } else {
                    "other.test".parse().unwrap()
                };
                evidence.publish(&name, rrset(address(ip)));
                // Ten names are looked at: nine or ten void ones pass the same limits.
                let mut names: Vec<DomainName> =
                    (0..voids.min(9)).map(|n| host.prefixed(&format!("void{n}")).unwrap()).collect();
                names.push(name);
                names
            }
        };
        evidence.publish(&DomainName::reverse(ip), rrset(Records::Ptr(names)));
        return;
    }
    let record: SpfRecord = format!("v=spf1 exists:{}", unknown.target).parse().unwrap();
    let (_, directive) = record.directives().next().unwrap();
    let Mechanism::Exists(spec) = &directive.mechanism else { unreachable!() };
    let domain = "unused.example".parse().unwrap();
    let sender_domain = "d0.example".parse().unwrap();
    let name = spec
        .expand(&MacroContext {
            local_part: "user",
            sender_domain: &sender_domain,
            domain: &domain,
            ip,
            helo: "helo.example",
            validated: None,
            receiver: None,
            timestamp: 0,
        })
        .unwrap();
    let text = |text: &str| rrset(Records::Txt(vec![Txt::from_text(text).unwrap()]));
    match (unknown.mechanism, branch.turnout) {
        ("exists", Turnout::Match) => {
            evidence.publish(&name, rrset(Records::A(vec!["127.0.0.2".parse().unwrap()])));
        }
        ("a", Turnout::Match) => evidence.publish(&name, rrset(address(ip))),
        ("a", _) if branch.void_queries == 0 => {
            let other = if ip.is_ipv4() { "198.51.100.1" } else { "2001:db8:ffff::1" };
            evidence.publish(&name, rrset(address(other.parse().unwrap())));
        }
        ("include", Turnout::Match) => evidence.publish(&name, text("v=spf1 +all")),
        ("include", Turnout::NoMatch) => evidence.publish(&name, text("v=spf1 -all")),
        ("include" | "redirect", Turnout::Result(result)) => match result {
            SpfResult::TempError => evidence.fail(&name, RecordType::Txt),
            SpfResult::Pass => evidence.publish(&name, text("v=spf1 +all")),
            SpfResult::Fail => evidence.publish(&name, text("v=spf1 -all")),
            SpfResult::SoftFail => evidence.publish(&name, text("v=spf1 ~all")),
            SpfResult::Neutral => evidence.publish(&name, text("v=spf1 ?all")),
            _ => {}
        },
        _ => {}
    }
}

fn neighbours(ip: IpAddr) -> Vec<IpAddr> {
    match ip {
        IpAddr::V4(ip) => {
            let bits = ip.to_bits();
            [bits.checked_sub(1), Some(bits)]
                .into_iter()
                .flatten()
                .map(|bits| IpAddr::V4(bits.into()))
                .collect()
        }
        IpAddr::V6(ip) => {
            let bits = ip.to_bits();
            [bits.checked_sub(1), Some(bits)]
                .into_iter()
                .flatten()
                .map(|bits| IpAddr::V6(bits.into()))
                .collect()
        }
    }
}

#[test]
fn policy_agrees_with_check() {
    let seen: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let count = |what: String| *seen.lock().unwrap().entry(what).or_default() += 1;
    let cases = std::env::var("SENDERSHIFT_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1500);
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    runner
        .run(&estate(), |json| {
            let dns = Snapshot::from_json(&json).unwrap();
            let policy = Policy::compile(&dns, &"d0.example".parse().unwrap()).unwrap();
            for profile in Profile::ALL.iter().copied().chain([&Profile::LIFTED]) {
                let results = policy.under(profile);
                for (range, _) in results.runs() {
                    for ip in neighbours(range.first()).into_iter().chain([range.last()]) {
                        let results_here: BTreeSet<SpfResult> =
                            results.at(ip).iter().map(|case| case.leaf).collect();
                        let only = results_here.first().filter(|_| results_here.len() == 1).copied();
                        prop_assert_eq!(results.certain(ip), only);
                        for case in results.at(ip) {
                            let mut evidence = Overlay::new(&dns);
                            // Two unknowns of one kind cannot turn out differently in one reverse lookup.
                            for (unknown, branch) in &case.assuming {
                                assume(&mut evidence, ip.to_canonical(), unknown, *branch);
                            }
                            // Nothing is asked, and nothing void, where a local part makes no label (RFC 1035 section 2.3.4).
                            let asks_nothing = case.assuming.iter().any(|(unknown, branch)| {
                                unknown.mechanism == "exists"
                                    && (branch.turnout, branch.void_queries) == (Turnout::NoMatch, 0)
                            });
                            let local_part = if asks_nothing { "x".repeat(64) } else { "user".to_owned() };
                            let query = Query::new(ip, &format!("{local_part}@d0.example"), "helo.example");
                            let checked = check(&evidence, &query, profile).unwrap();
                            // With a trace terms are evaluated one by one, without it networks at once.
                            let mut trace = TraceLog::default();
                            let traced = check_traced(&evidence, &query, profile, &mut trace).unwrap();
                            prop_assert_eq!(&checked, &traced, "{:?}", trace);
                            count(format!("result {}", checked.result));
                            for (unknown, _) in &case.assuming {
                                count(format!("unknown {}", unknown.mechanism));
                            }
                            if let Some(problem) = &checked.problem {
                                count(format!("problem {}", problem.code));
                            }
                            prop_assert_eq!(
                                checked.result,
                                case.leaf,
                                "{} at {} assuming {:?}: {:?}",
                                profile.name,
                                ip,
                                case.assuming,
                                checked
                            );
                        }
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    let seen = seen.into_inner().unwrap();
    println!("{seen:#?}");
    for result in SpfResult::ALL {
        assert!(seen.contains_key(&format!("result {result}")), "{result} never occurred");
    }
    for problem in [
        "too-many-lookups",
        "too-many-voids",
        "too-many-mx",
        "too-many-mx-addresses",
        "loop",
        "include-of-none",
        "redirect-to-none",
        "several-records",
        "bad-ip4",
        "dns-failure",
    ] {
        assert!(seen.contains_key(&format!("problem spf.{problem}")), "{problem} never occurred");
    }
}

/// RFC 7208 section 7.3: of several names `%{p}` is the one below the current domain, so the same text asks another question
/// in the record of another domain.
#[test]
fn the_name_of_a_client_depends_on_the_domain() {
    let dns = Snapshot::from_json(
        r#"{ "format": "sendershift-snapshot/1", "closed": true, "answers": [
            { "name": "d0.example", "type": "TXT", "records": ["v=spf1 include:d1.example -exists:%{p}.x.example ?all"] },
            { "name": "d1.example", "type": "TXT", "records": ["v=spf1 exists:%{p}.x.example -all"] },
            { "name": "1.2.0.192.in-addr.arpa", "type": "PTR", "records": ["a.d0.example", "b.d1.example"] },
            { "name": "a.d0.example", "type": "A", "records": ["192.0.2.1"] },
            { "name": "b.d1.example", "type": "A", "records": ["192.0.2.1"] },
            { "name": "a.d0.example.x.example", "type": "A", "records": ["127.0.0.2"] }] }"#,
    )
    .unwrap();
    let ip: IpAddr = "192.0.2.1".parse().unwrap();
    let checked = check(&dns, &Query::new(ip, "user@d0.example", "helo.example"), &Profile::RFC7208).unwrap();
    assert_eq!(checked.result, SpfResult::Fail);
    let policy = Policy::compile(&dns, &"d0.example".parse().unwrap()).unwrap();
    assert!(
        policy.under(&Profile::RFC7208).sometimes(SpfResult::Fail).contains(ip),
        "{:?}",
        policy.cases(ip)
    );
}

/// Where there are more ways than can be listed, each leaf is still there: 25 terms with 3 turnouts each.
#[test]
fn cases_are_bounded() {
    let terms: Vec<String> = (0..25).map(|n| format!("a:%{{i}}.e{n}.example")).collect();
    let record = format!("v=spf1 {} -all", terms.join(" "));
    let dns = Snapshot::from_json(&format!(
        r#"{{ "format": "sendershift-snapshot/1", "closed": true, "answers": [
            {{ "name": "d0.example", "type": "TXT", "records": ["{record}"] }}] }}"#
    ))
    .unwrap();
    let policy = Policy::compile(&dns, &"d0.example".parse().unwrap()).unwrap();
    let cases = policy.cases("192.0.2.1".parse().unwrap());
    // Passes after n terms with 0 to n - 1 of them void, and fails with 0 to 25 void.
    assert_eq!(cases.len(), (1..=25).sum::<usize>() + 26);
}

/// The tree, which adds up terms, bounds the policy, which follows addresses; and who stands behind the limits is
/// what each address's cases say.
#[test]
fn cost_agrees_with_policy() {
    let seen: Mutex<BTreeMap<&str, usize>> = Mutex::default();
    let count = |what| *seen.lock().unwrap().entry(what).or_default() += 1;
    let mut runner = TestRunner::new(Config { cases: 400, ..Config::default() });
    runner
        .run(&estate(), |json| {
            let dns = Snapshot::from_json(&json).unwrap();
            let subject = Subject::parse("d0.example", None).unwrap();
            let policy = Policy::compile(&dns, &subject.domain).unwrap();
            for profile in Profile::ALL {
                let cost = cost(&dns, &subject, profile).unwrap();
                let total = cost.tree.total;
                prop_assert_eq!(cost.lookups.total, cost.lookups.published);
                prop_assert!(cost.worst_v4.max(cost.worst_v6).lookups <= total.lookups);
                prop_assert!(
                    cost.worst_v4.lookups <= cost.worst_v4.written,
                    "entered before it is evaluated"
                );
                prop_assert!(cost.worst_v4.voids_for(profile) <= total.voids_v4, "{:?}", cost);
                prop_assert!(cost.worst_v6.voids_for(profile) <= total.voids_v6, "{:?}", cost);
                let (runs, broken) = (policy.intended(), &cost.broken.ranges);
                for (range, _) in runs.runs() {
                    for ip in neighbours(range.first()).into_iter().chain([range.last()]) {
                        let cases = policy.cases(ip);
                        let passes = |over: bool| {
                            let is_one = |leaf: &sendershift::spf::Leaf| {
                                leaf.result == SpfResult::Pass && leaf.spent.is_within(profile) != over
                            };
                            cases.iter().filter(|case| is_one(&case.leaf)).count()
                        };
                        let (over, fine) = (passes(true), passes(false));
                        let expected = match (over, fine) {
                            (0, _) => "none",
                            (over, fine) if over + fine < cases.len() => "open",
                            (_, 0) => "always",
                            _ => "sometimes",
                        };
                        count(expected);
                        // A v4-mapped address is judged as IPv4, and is in no set.
                        if ip.to_canonical() == ip {
                            let parts = [
                                ("always", &cost.beyond.always),
                                ("sometimes", &cost.beyond.sometimes),
                                ("open", &cost.beyond.open),
                            ];
                            for (name, part) in parts {
                                prop_assert_eq!(
                                    part.ranges.contains(ip),
                                    name == expected,
                                    "{} {}",
                                    ip,
                                    name
                                );
                            }
                            let errs = cases.iter().any(|case| {
                                matches!(case.leaf.result, SpfResult::PermError | SpfResult::TempError)
                            });
                            prop_assert_eq!(broken.contains(ip), errs);
                        }
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.len() == 4, "not all kinds occurred: {seen:?}");
}
