mod property;
mod repairs;
mod small;

use jiff::Timestamp;

use crate::dmarc;
use crate::dns::{Records, Snapshot, Txt};
use crate::migration::{Calendar, CustomerClass, DmarcGoal, Domain, Key, Migration, Source, Stream, Wave};
use crate::name::DomainName;
use crate::plan::{Identity, Parameters, Plan, Signature, SignedAt, Step};
use crate::prove::{Judged, Proof, prove};

/// A public key, of RSA with 1024 bits.
const KEY: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkpVu4rBf0tjsK60SOXHaRPwMoqi42LYLeKtPutLKAVx5frk2ofWI1bhJXY7V3WpVbOypHyzS92GKm8bl0yXonXeZytVZfuSF/juOuy4PE0yUm8A9MerdtKygMEzcHL5pawuFz51johu2I8SL2i/CTy6MOQ8SNfKRVPR0m68XApQIDAQAB";
const DAY: u64 = 86_400;

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn texts(texts: &[&str]) -> Records {
    Records::Txt(texts.iter().map(|text| Txt::from_text(text).unwrap()).collect())
}

fn signature(selector: &str, domain: &str) -> Signature {
    Signature { domain: name(domain), selector: selector.parse().unwrap() }
}

fn identity(
    id: &str,
    author: &str,
    mail_from: Option<&str>,
    dkim: &[(&str, &str)],
    sources: &[&str],
) -> Identity {
    Identity {
        id: id.to_owned(),
        author_domain: name(author),
        mail_from: mail_from.map(name),
        helo: None,
        dkim: dkim.iter().map(|(selector, domain)| signature(selector, domain)).collect(),
        sources: sources.iter().map(|&source| source.to_owned()).collect(),
    }
}

fn stream(id: &str, now: Identity, then: Option<Identity>) -> Stream {
    let keys = then.iter().flat_map(|then| &then.dkim);
    let keys = keys
        .map(|signature| Key { signature: signature.clone(), records: texts(&[KEY]), assumed: None })
        .collect();
    Stream {
        id: id.to_owned(),
        title: format!("Stream {id}"),
        now,
        then,
        keys,
        wave: None,
        needs_both: false,
        spf_only: false,
        signed_at: SignedAt::Injection,
    }
}

fn source(id: &str, network: &str, term: &str) -> Source {
    Source {
        id: id.to_owned(),
        title: format!("Source {id}"),
        addresses: crate::net::AddressSet::from_nets([crate::net::parse_net(network).unwrap()]),
        include: None,
        terms: vec![term.to_owned()],
        publish: Vec::new(),
        assumed: None,
    }
}

fn domain(of: &str, goal: Option<dmarc::Policy>) -> Domain {
    let dmarc = goal.map(|goal| DmarcGoal {
        goal,
        rua: vec!["mailto:reports@old.example".to_owned()],
        dwell: 30 * DAY,
        tags: Vec::new(),
    });
    Domain { name: name(of), role: String::new(), mx: None, dmarc, ttl: 3600 }
}

fn migration(domains: Vec<Domain>, sources: Vec<Source>, streams: Vec<Stream>) -> Migration {
    let announce = time("2026-01-05T09:00:00Z");
    Migration {
        title: "A migration".to_owned(),
        calendar: Calendar { announce, deadline: None, freezes: Vec::new(), working_days: [true; 7] },
        parameters: Parameters::new(announce),
        reserve: 2,
        domains,
        sources,
        waves: Vec::new(),
        streams,
        customers: Vec::new(),
        assumptions: Vec::new(),
    }
}

fn wave(id: &str) -> Wave {
    Wave { id: id.to_owned(), title: format!("wave {id}"), watch: 7 * DAY, over: 2 * DAY }
}

fn customers(lead: u64) -> CustomerClass {
    CustomerClass {
        id: "gateways".to_owned(),
        title: "customers with gateways".to_owned(),
        must: Some("allow the new domain".to_owned()),
        lead,
    }
}

/// All domains of these tests accept mail, of those that there are.
fn mail_hosts(exists: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
    let domains = [
        "old.example",
        "bounce.old.example",
        "app.old.example",
        "new.example",
        "bounce.new.example",
        "app.new.example",
    ];
    let exchanges = domains.into_iter().filter(move |domain| exists(domain)).map(|domain| {
        format!(r#"{{ "name": "{domain}", "type": "MX", "ttl": 3600, "authoritative": true, "records": ["10 mx.old.example."] }}"#)
    });
    let host = r#"{ "name": "mx.old.example", "type": "A", "ttl": 3600, "authoritative": true, "records": ["203.0.113.25"] }"#;
    exchanges.chain([host.to_owned()])
}

/// A closed snapshot of TXT records, from servers of the zones; an SOA record for each of the zones.
fn zone(records: &[(&str, &str)]) -> Snapshot {
    let mut answers: Vec<String> = ["old.example", "new.example"]
        .iter()
        .map(|zone| format!(r#"{{ "name": "{zone}", "type": "SOA", "ttl": 3600, "authoritative": true, "records": ["ns.{zone}. admin.{zone}. 1 7200 900 1209600 900"] }}"#))
        .collect();
    answers.extend(mail_hosts(|domain| !domain.starts_with("app.")));
    let mut by_name: std::collections::BTreeMap<&str, Vec<String>> = std::collections::BTreeMap::new();
    for (name, text) in records {
        by_name.entry(name).or_default().push(format!("{text:?}"));
    }
    for (name, texts) in by_name {
        answers.push(format!(
            r#"{{ "name": "{name}", "type": "TXT", "ttl": 7200, "authoritative": true, "records": [{}] }}"#,
            texts.join(", ")
        ));
    }
    let text = format!(
        r#"{{ "format": "sendershift-snapshot/1", "taken": "2026-01-05T00:00:00Z", "closed": true, "answers": [{}] }}"#,
        answers.join(", ")
    );
    Snapshot::from_json(&text).unwrap()
}

/// Plans, checks that the plan makes sense and can be read again, and proves it.
fn planned(migration: &Migration, evidence: &Snapshot) -> (Plan, Proof) {
    let plan = super::plan(migration, evidence).unwrap();
    plan.check().unwrap_or_else(|invalid| panic!("{:#?}", invalid.problems));
    let proof = prove(&plan).unwrap();
    (plan, proof)
}

#[track_caller]
fn safe(migration: &Migration, evidence: &Snapshot) -> Plan {
    let (plan, proof) = planned(migration, evidence);
    assert_eq!(plan.blockers, [], "{}", plan.title);
    assert_eq!(proof.verdict, Judged::Safe, "{:#?}\n{:#?}", proof.undecided, proof.promises);
    plan
}

fn step<'p>(plan: &'p Plan, id: &str) -> &'p Step {
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    plan.steps.iter().find(|step| step.id == id).unwrap_or_else(|| panic!("no step {id} among {ids:?}"))
}

fn wait(plan: &Plan, id: &str, after: &str) -> Option<u64> {
    step(plan, id).after.iter().find(|wait| wait.step == after).map(|wait| wait.at_least)
}

fn codes(remarks: &[crate::plan::Remark]) -> Vec<&str> {
    remarks.iter().map(|remark| remark.code.as_str()).collect()
}
