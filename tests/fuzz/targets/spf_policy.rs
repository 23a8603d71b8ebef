//! What a policy says of an address is what `check` says of it, for every receiver.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use sendershift::dns::Snapshot;
use sendershift::name::DomainName;
use sendershift::spf::{
    Compared, Policy, Profile, Query, SpfResult, Subject, TraceLog, check, check_traced, cost, diff, lint,
};
use sendershift_fuzz::check_snapshot;
use sendershift_fuzz::estate::Estate;

fuzz_target!(|estate: Estate| {
    let Ok(dns) = Snapshot::from_json(&estate.json) else {
        // Aliases beside other records: two domains of one name are refused.
        return;
    };
    check_snapshot(&dns);
    let domain: DomainName = "d0.example".parse().unwrap();
    let policy = Policy::compile(&dns, &domain).expect("the evidence is closed");
    let sender = format!("{}@d0.example", estate.local_part);
    let some = Profile::ALL.get(estate.receiver % Profile::ALL.len()).copied();
    for profile in some.into_iter().chain([&Profile::LIFTED]) {
        let results = policy.under(profile);
        let borders: Vec<IpAddr> =
            results.runs().take(40).flat_map(|(range, _)| [range.first(), range.last()]).collect();
        for ip in borders.iter().chain(&estate.clients) {
            let query = Query::new(*ip, &sender, "helo.example");
            let checked = check(&dns, &query, profile).expect("the evidence is closed");
            let cases = results.at(*ip);
            // Facts about unknowns choose among the cases: what the evidence says of them is one choice.
            assert!(
                cases.iter().any(|case| case.leaf == checked.result),
                "{} at {ip}: {checked:?} is none of {cases:?}",
                profile.name
            );
            assert_eq!(checked.problem.is_none(), !is_error(checked.result), "{checked:?}");
            let mut log = TraceLog::default();
            assert_eq!(check_traced(&dns, &query, profile, &mut log).as_ref(), Ok(&checked));
        }
    }
    // It takes longer than the rest.
    if estate.receiver % 8 == 0 {
        check_difference(&dns, &estate);
    }
    let subject = Subject::parse("d0.example", None).unwrap();
    let costs = cost(&dns, &subject, &Profile::RFC7208).expect("the evidence is closed");
    assert!(costs.worst_v4.max(costs.worst_v6).lookups <= costs.tree.total.lookups, "{costs:?}");
    lint(&dns, "d0.example", None, &Profile::STRICT).expect("the evidence is closed");
});

/// Policies that are the same give the same results, and a witness that takes nothing for granted gives the two that it names.
fn check_difference(dns: &Snapshot, estate: &Estate) {
    let profile = Profile::ALL[estate.receiver / 8 % Profile::ALL.len()];
    let [left, right] = ["d0.example", "d1.example"].map(|name| Subject::parse(name, None).unwrap());
    let Ok(difference) = diff(dns, &left, &right, Compared::Actual(profile)) else { return };
    let result = |ip: IpAddr, domain: &str| {
        let query = Query::new(ip, &format!("{}@{domain}", estate.local_part), "helo.example");
        check(dns, &query, profile).expect("the evidence is closed").result
    };
    let results = |ip| (result(ip, "d0.example"), result(ip, "d1.example"));
    if difference.equivalent {
        for ip in &estate.clients {
            let (left, right) = results(*ip);
            assert_eq!(left, right, "{} at {ip}", profile.name);
        }
    }
    if let Some(witness) = difference.witness.filter(|witness| witness.case.assuming.is_empty()) {
        assert_ne!(witness.case.left, witness.case.right);
        let told = (witness.case.left, witness.case.right);
        assert_eq!(results(witness.ip), told, "{} at {}", profile.name, witness.ip);
    }
}

fn is_error(result: SpfResult) -> bool {
    matches!(result, SpfResult::PermError | SpfResult::TempError | SpfResult::None)
}
