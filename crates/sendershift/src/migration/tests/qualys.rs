//! The reference example: it can be read, and it is the situation that it says it is.

use std::collections::BTreeSet;

use super::Migration;
use crate::dkim::{self, KeyState};
use crate::dmarc::{self, Authorised, DmarcRecord};
use crate::dns::{Answer, Evidence, RecordType, Records, Snapshot, negative_ttl};
use crate::name::DomainName;
use crate::net::{AddressSet, Family};
use crate::spf::{Policy, Profile, SpfRecord, SpfResult};

fn migration() -> Migration {
    Migration::from_toml(include_str!("../../../../../docs/examples/qualys/migration.toml")).unwrap()
}

fn dns() -> Snapshot {
    Snapshot::from_json(include_str!("../../../../../docs/examples/qualys/dns.json")).unwrap()
}

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn texts(dns: &Snapshot, at: &str) -> Vec<String> {
    match dns.answer(&name(at), RecordType::Txt) {
        Answer::Records(rrset) => rrset.records().to_texts(),
        answer => panic!("{at}: {answer:?}"),
    }
}

/// The addresses of a source.
fn addresses(dns: &Snapshot, migration: &Migration, id: &str) -> AddressSet {
    let source = migration.sources.iter().find(|source| source.id == id).unwrap();
    match &source.include {
        Some(include) => Policy::compile(dns, include).unwrap().intended().always(SpfResult::Pass),
        None => source.addresses.clone(),
    }
}

#[test]
fn what_the_notice_says() {
    let migration = migration();
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    assert_eq!(migration.calendar.announce, time("2021-12-03T00:00:00-08:00"));
    assert_eq!(migration.calendar.deadline, Some(time("2023-01-01T00:00:00-08:00")));
    assert_eq!(migration.parameters.start, migration.calendar.announce);
    assert_eq!(migration.parameters.deadline, migration.calendar.deadline);
    let freeze = &migration.calendar.freezes[0];
    assert_eq!(freeze.until, time("2022-11-28T00:00:00-08:00"), "the last day is one of the freeze");

    assert_eq!(migration.sources[0].addresses.count().to_string(), "21");
    assert_eq!(migration.sources[0].publish.len(), 21);
    assert_eq!(migration.sources[1].publish, ["include:spf-001ca501.pphosted.com"]);
    let waves: Vec<(&str, usize)> = migration
        .waves
        .iter()
        .map(|wave| {
            let streams = migration.streams.iter().filter(|it| it.wave.as_deref() == Some(&wave.id));
            (wave.id.as_str(), streams.count())
        })
        .collect();
    assert_eq!(
        waves,
        [("named-applications", 4), ("other-applications", 1), ("notifications", 2), ("accounts", 1)]
    );
    let customers: Vec<(&str, bool)> =
        migration.customers.iter().map(|it| (it.id.as_str(), it.must.as_deref() == Some(""))).collect();
    assert_eq!(customers, [("own-domain", false), ("strict-gateway", false), ("private-platform", true)]);
}

#[test]
fn every_stream_that_moves_has_its_key() {
    let (migration, dns) = (migration(), dns());
    let (moving, staying): (Vec<_>, Vec<_>) = migration.streams.iter().partition(|it| it.then.is_some());
    assert_eq!((moving.len(), staying.len()), (8, 1));
    for stream in moving {
        let then = stream.then.as_ref().unwrap();
        assert_eq!(then.author_domain, name("qualys.net"));
        assert_eq!(then.sources, stream.now.sources, "the same machines");
        let [key] = stream.keys.as_slice() else { panic!("{}: {:?}", stream.id, stream.keys) };
        assert_eq!(then.dkim, std::slice::from_ref(&key.signature));
        assert!(matches!(&key.records, Records::Txt(texts) if texts[0].octets().ends_with(b"AQAB")));
        let state = dkim::key(&dns, &key.signature.domain, &key.signature.selector);
        assert_eq!(state, KeyState::Absent, "it is to be published");
    }
}

#[test]
fn today_every_stream_passes_by_spf_and_by_dkim() {
    let (migration, dns) = (migration(), dns());
    for stream in &migration.streams {
        let now = &stream.now;
        let policy = Policy::compile(&dns, now.mail_from.as_ref().unwrap()).unwrap();
        for profile in [&Profile::RFC7208, &Profile::STRICT] {
            let pass = policy.under(profile).always(SpfResult::Pass);
            for source in &now.sources {
                let addresses = addresses(&dns, &migration, source);
                assert!(!addresses.is_empty() && addresses.is_subset(&pass), "{source}, {}", profile.name);
            }
        }
        for signature in &now.dkim {
            assert!(dkim::key(&dns, &signature.domain, &signature.selector).is_usable());
        }
    }
    let record = DmarcRecord::parse(texts(&dns, "_dmarc.qualys.com")[0].as_bytes()).unwrap();
    assert_eq!(record.policy(), dmarc::Policy::None);
}

/// RFC 7208 section 4.6.4: nine lookups are on public record, the tenth is an include that was seen in 2020.
#[test]
fn the_record_of_today_is_at_both_limits() {
    let dns = dns();
    let apex = texts(&dns, "qualys.com");
    let record: SpfRecord = apex[0].parse().unwrap();
    assert_eq!(record.term_count_costing_lookups(), 8);
    let salesforce: SpfRecord = texts(&dns, "_spf.salesforce.com")[0].parse().unwrap();
    assert_eq!(salesforce.term_count_costing_lookups(), 1);

    let policy = Policy::compile(&dns, &name("qualys.com")).unwrap();
    let (v4, v6) = (policy.worst(Family::V4), policy.worst(Family::V6));
    assert_eq!((v4.lookups, v4.void_terms, v4.void_queries), (10, 1, 1), "`exists` misses");
    assert_eq!((v6.lookups, v6.void_terms, v6.void_queries), (10, 2, 2), "and `a` has no AAAA record");
    for profile in Profile::ALL {
        assert!(v4.is_within(profile), "{}", profile.name);
        assert_eq!(v6.is_within(profile), profile.voids >= 2, "{}", profile.name);
        assert!(policy.under(profile).always(SpfResult::PermError).is_empty());
    }
}

/// What the plan has to do is yet to be done.
#[test]
fn qualys_net_is_parked() {
    let (migration, dns) = (migration(), dns());
    assert_eq!(texts(&dns, "qualys.net"), ["v=spf1 -all"]);
    assert_eq!(dns.answer(&name("qualys.net"), RecordType::Mx), Answer::NoData);
    for absent in ["_dmarc.qualys.net", "bounce.qualys.net"] {
        assert_eq!(dns.answer(&name(absent), RecordType::Txt), Answer::NxDomain);
        assert_eq!(negative_ttl(&dns, &name(absent)), Some(86_400));
    }
    let goal = migration.domains[1].dmarc.as_ref().unwrap();
    let policy = DmarcRecord::parse(format!("v=DMARC1; p=none; rua={}", goal.rua[0]).as_bytes()).unwrap();
    let host = policy.rua()[0].host.as_ref().unwrap();
    let authorised = dmarc::report_authorisation(&dns, &name("qualys.net"), host);
    assert_eq!(authorised, Authorised::Missing { name: name("qualys.net._report._dmarc.qualys.com") });
}

/// Whatever is no fact says why it is there.
#[test]
fn every_answer_is_marked() {
    let dns = dns();
    let unmarked: BTreeSet<String> = dns
        .names()
        .flat_map(|name| dns.rrsets(name).map(move |(record_type, _)| (name, record_type)))
        .filter(|(name, record_type)| dns.assumed(name, *record_type).is_none())
        .map(|(name, record_type)| format!("{name} {record_type}"))
        .collect();
    // The two records that are public word by word; what is assumed about them stands in the migration.
    let public = ["_spf.salesforce.com TXT", "qualys.com TXT"].map(str::to_owned);
    assert_eq!(unmarked, BTreeSet::from(public));
}
