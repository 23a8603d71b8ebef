//! `check_host()` beside mail-auth, with every record in the cache and parsed: what a busy receiver does.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use mail_auth::dns::TxtRecordParser as _;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::spf::SpfRecord;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    DnsCache, DnssecStatus, MessageAuthenticator, Mx, Negative, Parameters, RecordSet, ResolverCache,
    TxtRecord,
};
use sendershift::dns::Snapshot;
use sendershift::spf::{Profile, Query, check};

use crate::estate::{self, Data, Estate};
use crate::timing::{pair, row};

pub const SENDER: &str = "bounce@vendor.example";
pub const HELO: &str = "mail.vendor.example";

pub fn rows(wanted: &dyn Fn(&str) -> bool) {
    for estate in estate::all() {
        let (ours, peer) = (snapshot(&estate), Peer::new(&estate));
        for (case, ip, expected) in &estate.cases {
            let name = format!("check: {}, {case}", estate.name);
            if !wanted(&name) {
                continue;
            }
            let ip: IpAddr = ip.parse().expect("an address");
            let run =
                || check(&ours, &Query::new(ip, SENDER, HELO), &Profile::RFC7208).expect("complete evidence");
            assert_eq!(run().result.as_str(), *expected, "sendershift, {name}");
            assert_eq!(peer.check(ip), *expected, "mail-auth, {name}");
            row(&name, &pair(run, || peer.check(ip)));
        }
    }
}

pub fn snapshot(estate: &Estate) -> Snapshot {
    let answers: Vec<String> = estate
        .answers
        .iter()
        .map(|(name, data)| {
            let quoted = |records: &[&str]| format!("[\"{}\"]", records.join("\", \""));
            match data {
                Data::Txt(text) => {
                    format!(r#"{{"name": "{name}", "type": "TXT", "records": {}}}"#, quoted(&[text]))
                }
                Data::A(ips) => format!(r#"{{"name": "{name}", "type": "A", "records": {}}}"#, quoted(ips)),
                Data::Aaaa(ips) => {
                    format!(r#"{{"name": "{name}", "type": "AAAA", "records": {}}}"#, quoted(ips))
                }
                Data::NxDomain(kind) => {
                    format!(r#"{{"name": "{name}", "type": "{kind}", "status": "nxdomain"}}"#)
                }
            }
        })
        .collect();
    let text = format!(
        r#"{{"format": "sendershift-snapshot/1", "closed": true, "answers": [{}]}}"#,
        answers.join(",")
    );
    Snapshot::from_json(&text).expect("a snapshot")
}

struct Peer {
    authenticator: MessageAuthenticator,
    caches: Caches,
}

impl Peer {
    fn new(estate: &Estate) -> Self {
        let authenticator = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default())
            .expect("a resolver");
        let mut caches = Caches::default();
        for (name, data) in &estate.answers {
            let key: Box<str> = format!("{name}.").into();
            match data {
                Data::Txt(text) => {
                    let record = SpfRecord::parse(text.as_bytes()).expect("a record");
                    caches.txt.0.insert(key, TxtRecord::Spf(Arc::new(record)));
                }
                Data::A(ips) => drop(caches.ipv4.0.insert(key, Ok(set(ips)))),
                Data::Aaaa(ips) => drop(caches.ipv6.0.insert(key, Ok(set(ips)))),
                Data::NxDomain(_) => {
                    // For `exists` mail-auth asks for addresses of both families.
                    caches.ipv4.0.insert(key.clone(), Err(Negative { code: ResponseCode::NXDomain }));
                    caches.ipv6.0.insert(key, Err(Negative { code: ResponseCode::NXDomain }));
                }
            }
        }
        Self { authenticator, caches }
    }

    fn check(&self, ip: IpAddr) -> &'static str {
        let parameters = SpfParameters::mail_from(ip, HELO, "mx.receiver.example", SENDER);
        let output =
            ready(self.authenticator.check_host(Parameters::new(parameters).with_cache(&self.caches)));
        match output.result() {
            mail_auth::SpfResult::Pass => "pass",
            mail_auth::SpfResult::Fail => "fail",
            mail_auth::SpfResult::SoftFail => "softfail",
            mail_auth::SpfResult::Neutral => "neutral",
            mail_auth::SpfResult::TempError => "temperror",
            mail_auth::SpfResult::PermError => "permerror",
            mail_auth::SpfResult::None => "none",
        }
    }
}

/// The value of a future that waits for nothing, as all answers are in the caches.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("an answer is not in the caches"),
    }
}

fn set<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> RecordSet<T> {
    let records: Vec<T> = texts.iter().map(|text| text.parse().expect("an address")).collect();
    RecordSet { records: records.into(), dnssec_status: DnssecStatus::default() }
}

/// The fastest cache there is in the standard library: nothing is locked, nothing expires.
struct Map<K, V>(HashMap<K, V>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Map<K, V> {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {}
}

#[derive(Default)]
struct Caches {
    txt: Map<Box<str>, TxtRecord>,
    mx: Map<Box<str>, Result<RecordSet<Mx>, Negative>>,
    ipv4: Map<Box<str>, Result<RecordSet<Ipv4Addr>, Negative>>,
    ipv6: Map<Box<str>, Result<RecordSet<Ipv6Addr>, Negative>>,
    ptr: Map<IpAddr, Result<RecordSet<Box<str>>, Negative>>,
}

impl DnsCache for Caches {
    type Txt = Map<Box<str>, TxtRecord>;
    type Mx = Map<Box<str>, Result<RecordSet<Mx>, Negative>>;
    type Ipv4 = Map<Box<str>, Result<RecordSet<Ipv4Addr>, Negative>>;
    type Ipv6 = Map<Box<str>, Result<RecordSet<Ipv6Addr>, Negative>>;
    type Ptr = Map<IpAddr, Result<RecordSet<Box<str>>, Negative>>;

    fn txt(&self) -> Option<&Self::Txt> {
        Some(&self.txt)
    }

    fn mx(&self) -> Option<&Self::Mx> {
        Some(&self.mx)
    }

    fn ipv4(&self) -> Option<&Self::Ipv4> {
        Some(&self.ipv4)
    }

    fn ipv6(&self) -> Option<&Self::Ipv6> {
        Some(&self.ipv6)
    }

    fn ptr(&self) -> Option<&Self::Ptr> {
        Some(&self.ptr)
    }
}
