//! What no peer does: figures of our own, beside the one that a row is worth comparing with.

use std::net::IpAddr;

use mail_auth::dns::TxtRecordParser as _;
use sendershift::name::DomainName;
use sendershift::spf::{Policy, Profile, Query, SpfRecord};

use crate::check::{HELO, SENDER};
use crate::estate::{self, DOMAIN};
use crate::timing::{alone, pair, row, row_alone};

pub fn rows(wanted: &dyn Fn(&str) -> bool) {
    let name = "parse of 100,000 records";
    if wanted(name) {
        let records: Vec<String> = (0..100_000).map(record).collect();
        let ours = || records.iter().filter(|text| SpfRecord::parse(text.as_bytes()).is_ok()).count();
        let peer = || {
            records.iter().filter(|text| mail_auth::spf::SpfRecord::parse(text.as_bytes()).is_ok()).count()
        };
        assert_eq!((ours(), peer()), (records.len(), records.len()), "{name}");
        row(name, &pair(ours, peer));
    }
    let domain: DomainName = DOMAIN.parse().expect("a name");
    for estate in estate::all().into_iter().chain([estate::long()]) {
        let snapshot = crate::check::snapshot(&estate);
        let compile = || Policy::compile(&snapshot, &domain).expect("complete evidence");
        let name = format!("Policy::compile: {}", estate.name);
        if wanted(&name) {
            row_alone(&name, alone(compile), 1);
        }
        let name = format!("Results::certain: {}", estate.name);
        if wanted(&name) {
            let results = compile().under(&Profile::RFC7208);
            let ips: Vec<IpAddr> =
                estate.cases.iter().map(|(_, ip, _)| ip.parse().expect("an address")).collect();
            row_alone(
                &name,
                alone(|| ips.iter().filter(|ip| results.certain(**ip).is_some()).count()),
                ips.len(),
            );
        }
    }
    let name = "Query::new, a part of every row of check";
    if wanted(name) {
        let ip: IpAddr = "192.0.2.1".parse().expect("an address");
        row_alone(name, alone(|| Query::new(ip, SENDER, HELO)), 1);
    }
}

fn record(n: usize) -> String {
    let (a, b) = (n / 256 % 256, n % 256);
    match n % 3 {
        0 => format!(
            "v=spf1 ip4:10.{a}.{b}.0/24 ip6:2001:db8:{a:x}:{b:x}::/64 include:_spf{n}.vendor.example ~all"
        ),
        1 => format!("v=spf1 a mx:mail{n}.vendor.example exists:%{{i}}._spf{n}.vendor.example -all"),
        _ => format!("v=spf1 redirect=_spf{n}.vendor.example"),
    }
}
