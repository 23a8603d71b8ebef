//! What `spf::compact` makes of drawn records, for a second opinion (`tests/pyspf/rewrites.py`).
//!
//! `rewrites FIRST COUNT` draws from the seeds from FIRST on, and prints one document a line for each record that is rewritten: what DNS
//! said before and says after, the lookups that were allowed, and clients on both sides of every border of the policy.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool of the tests: it stops at what it does not expect"
)]

use std::collections::BTreeSet;
use std::net::IpAddr;

use asked::Asked;
use sendershift::dns::{Overlay, Quality, Records, RrSet, Snapshot};
use sendershift::spf::{CompactRequest, Policy, Profile, compact};
use sendershift_tests::oracle::tree::Client;
use serde_json::json;

#[path = "asked.rs"]
mod asked;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<u64>().unwrap());
    let (first, count) = (numbers.next().unwrap(), numbers.next().unwrap());
    for seed in first..first + count {
        let asked = Asked::drawn(seed);
        let before = asked.tree.snapshot();
        let evidence = Snapshot::from_json(&before).unwrap();
        // It counts every void query.
        let receivers = vec![Profile::named("pyspf").unwrap()];
        let request = CompactRequest { receivers, ..asked.request() };
        let Ok(found) = compact(&evidence, &asked::subject(), &request) else { continue };
        if found.records.is_empty() || found.unchanged {
            continue;
        }
        let mut after = Overlay::new(&evidence);
        for rrset in &found.records {
            let records = Records::Txt(rrset.records.clone());
            after.publish(&rrset.name, RrSet::new(records, rrset.ttl, Quality::Authoritative));
        }
        let domain = asked::subject().domain;
        let policies = [Policy::compile(&evidence, &domain), Policy::compile(&after, &domain)];
        let mut clients: BTreeSet<IpAddr> = Client::all().map(Client::address).collect();
        for policy in policies {
            let results = policy.unwrap().intended();
            clients.extend(results.runs().flat_map(|(range, _)| [range.first(), range.last()]));
        }
        // pyspf takes such a client for one of IPv4.
        clients.retain(|ip| !matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some()));
        let before: serde_json::Value = serde_json::from_str(&before).unwrap();
        println!(
            "{}",
            json!({
                "seed": seed, "before": before, "records": found.records, "lookups": asked.lookups, "clients": clients,
                "minimal": found.proof.minimal,
            })
        );
    }
}
