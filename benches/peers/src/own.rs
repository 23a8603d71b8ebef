//! What no peer does: figures of our own, beside the one that a row is worth comparing with.

use std::net::IpAddr;

use mail_auth::dns::TxtRecordParser as _;
use sendershift::name::DomainName;
use sendershift::spf::{Policy, Profile, SpfRecord};

use crate::estate::{self, DOMAIN};
use crate::timing::{alone, pair, row, time};

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
    for estate in estate::all() {
        let snapshot = crate::check::snapshot(&estate);
        let compile = || Policy::compile(&snapshot, &domain).expect("complete evidence");
        let name = format!("Policy::compile: {}", estate.name);
        if wanted(&name) {
            println!("| {name} | {} | | |", time(alone(compile)));
        }
        let name = format!("Policy membership: {}", estate.name);
        if wanted(&name) {
            let results = compile().under(&Profile::RFC7208);
            let ips: Vec<IpAddr> =
                estate.cases.iter().map(|(_, ip, _)| ip.parse().expect("an address")).collect();
            let each = alone(|| ips.iter().map(|ip| results.at(*ip).len()).sum::<usize>()) / ips.len() as f64;
            println!("| {name} | {} | | |", time(each));
        }
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
