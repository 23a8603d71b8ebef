//! From records to a zone: one SOA record, nothing outside of it, nothing beside an alias; what lies below a cut.

use std::collections::{BTreeMap, BTreeSet};

use super::rdata::Data;
use super::{Record, ZoneFile, ZoneRrSet};
use crate::dns::{Quality, RecordType, Records, RrSet};
use crate::error::{Problem, Span};
use crate::name::DomainName;

/// The records of one owner and type, each once (RFC 2181 section 5).
#[derive(Default)]
struct Set {
    data: Vec<Data>,
    seen: BTreeSet<Data>,
    /// The longest TTL that is stated.
    ttl: Option<u32>,
    /// Whether some TTL is stated nowhere.
    unstated: bool,
    span: Span,
}

type Sets = BTreeMap<(DomainName, RecordType), Set>;

/// Makes a zone of records, and notes what keeps them from being one.
pub(super) fn zone(records: Vec<Record>, unread: bool, problems: &mut Vec<Problem>) -> Option<ZoneFile> {
    let apex = apex(&records, unread, problems)?;
    let mut sets = Sets::new();
    for record in records {
        if !record.owner.is_within(&apex) {
            let message = format!("{} is outside of the zone {apex}", record.owner);
            let help = "a file holds one zone; does the name lack its final dot, or have one too many?";
            problems.push(Problem::new("zone.out-of-zone", message).at(record.span).help(help));
            continue;
        }
        let set = sets.entry((record.owner, record.kind)).or_default();
        if set.data.is_empty() {
            set.span = record.span;
        } else if is_single(record.kind) && !set.seen.contains(&record.data) {
            let message = format!("the name has another {} record already", record.kind);
            problems.push(Problem::new("zone.singleton", message).at(record.span).help("keep the right one"));
            continue;
        }
        // Should the TTLs of an RRset differ (RFC 2181 section 5.2), some cache may hold it as long as the longest.
        set.ttl = set.ttl.max(record.ttl);
        set.unstated |= record.ttl.is_none();
        if set.seen.insert(record.data.clone()) {
            set.data.push(record.data);
        }
    }
    alone(&sets, problems);
    for ((name, record_type), set) in &sets {
        if set.unstated && set.ttl.is_some() {
            let message = format!("one {record_type} record of {name} has a TTL, and another has none");
            let help = "write a line such as `$TTL 1h` before the first record";
            problems.push(Problem::new("zone.no-ttl", message).at(set.span).help(help));
        }
    }
    let cuts = Cuts::of(&sets, &apex);
    let mut rrsets = Vec::with_capacity(sets.len());
    for ((name, record_type), set) in sets {
        let quality = cuts.quality(&name, record_type);
        match records_of(record_type, set.data) {
            Ok(records) => rrsets.push(ZoneRrSet {
                name,
                rrset: RrSet::new(records, set.ttl, quality.unwrap_or_default()),
                span: set.span,
                answers: quality.is_some(),
            }),
            Err(problem) => problems.push(problem.at(set.span)),
        }
    }
    Some(ZoneFile { apex, rrsets })
}

fn records_of(record_type: RecordType, data: Vec<Data>) -> Result<Records, Problem> {
    let (mut strings, mut texts) = (Vec::new(), Vec::new());
    for data in data {
        match data {
            Data::Txt(txt) => strings.push(txt),
            Data::Text(text) => texts.push(text),
        }
    }
    if record_type == RecordType::Txt {
        return Ok(Records::Txt(strings));
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Records::parse(record_type, &texts)
        .map_err(|(_, problem)| Problem::new("zone.bad-record", problem.message))
}

/// The owner of the SOA record.
fn apex(records: &[Record], unread: bool, problems: &mut Vec<Problem>) -> Option<DomainName> {
    let mut soas = records.iter().filter(|record| record.kind == RecordType::Soa);
    let Some(first) = soas.next() else {
        if !unread {
            // A made-up SOA record would make a whole zone of a few answers.
            let (message, help) = match records.len() {
                0 => (
                    "there are no records",
                    "a zone begins with a line such as `example.com. 3600 IN SOA ns.example.com. hostmaster.example.com. 1 7200 900 1209600 3600`",
                ),
                _ => (
                    "there is no SOA record, so this is no whole zone",
                    "what a zone file lacks counts as not existing: take the file from a server of the zone; single answers, as of `dig`, go into a snapshot (JSON, sendershift-snapshot/1)",
                ),
            };
            problems.push(Problem::new("zone.no-soa", message).at(0..0).help(help));
        }
        return None;
    };
    for other in soas.filter(|other| other.owner != first.owner) {
        let message = format!("there are SOA records at {} and at {}", first.owner, other.owner);
        let help = "a file holds one zone: put the other into a file of its own";
        problems.push(Problem::new("zone.two-soas", message).at(other.span).help(help));
    }
    Some(first.owner.clone())
}

/// Types of which a name has one record: RFC 1034 section 3.6.2, RFC 1035 section 3.3.13, RFC 6672 section 2.4.
fn is_single(record_type: RecordType) -> bool {
    matches!(record_type, RecordType::Cname | RecordType::Soa | RecordType::DNAME)
}

/// An alias stands alone at its name (RFC 1034 section 3.6.2), but for what DNSSEC adds (RFC 4034 sections 3 and 4).
fn alone(sets: &Sets, problems: &mut Vec<Problem>) {
    for (name, _) in sets.keys().filter(|(_, record_type)| *record_type == RecordType::Cname) {
        let of_name = (name.clone(), RecordType::A)..=(name.clone(), RecordType::Other(u16::MAX));
        let others = sets.range(of_name).filter(|((_, kind), _)| !kind.may_stand_beside_alias());
        for ((_, record_type), set) in others.filter(|((_, kind), _)| *kind != RecordType::Cname) {
            let message = format!("{name} has {record_type} records and a CNAME record");
            let help = "a name with a CNAME record has no other records (RFC 1034 section 3.6.2)";
            problems.push(Problem::new("zone.cname-with-data", message).at(set.span).help(help));
        }
    }
}

/// Where the zone ends below its apex.
struct Cuts {
    apex: DomainName,
    /// The names that are delegated (RFC 1034 section 4.2.1).
    delegated: BTreeSet<DomainName>,
    /// The names with a DNAME record: nothing below them is in the zone (RFC 6672 section 2.4).
    renamed: BTreeSet<DomainName>,
    /// The name servers of the zones below.
    servers: BTreeSet<DomainName>,
}

impl Cuts {
    fn of(sets: &Sets, apex: &DomainName) -> Self {
        let owners = |wanted: RecordType| {
            let of_type = sets.keys().filter(move |(_, record_type)| *record_type == wanted);
            of_type.map(|(name, _)| name.clone())
        };
        let delegated: BTreeSet<_> = owners(RecordType::Ns).filter(|name| name != apex).collect();
        let mut servers = BTreeSet::new();
        for name in &delegated {
            for data in sets.get(&(name.clone(), RecordType::Ns)).into_iter().flat_map(|set| &set.data) {
                if let Data::Text(text) = data {
                    servers.extend(DomainName::parse(text).ok());
                }
            }
        }
        Self { apex: apex.clone(), delegated, renamed: owners(RecordType::DNAME).collect(), servers }
    }

    /// The quality of the answer that servers of the zone give with an RRset; none where they do not give it.
    fn quality(&self, name: &DomainName, record_type: RecordType) -> Option<Quality> {
        if *name == self.apex && record_type == RecordType::DS {
            // It belongs to the zone above (RFC 4035 section 2.4).
            return None;
        }
        if self.delegated.is_empty() && self.renamed.is_empty() {
            return Some(Quality::Authoritative);
        }
        let above = || name.ancestors().skip(1).take_while(|ancestor| ancestor.is_within(&self.apex));
        if above().any(|ancestor| self.renamed.contains(&ancestor)) {
            return None;
        }
        let below = above().any(|ancestor| self.delegated.contains(&ancestor));
        let at = self.delegated.contains(name);
        let is_glue = matches!(record_type, RecordType::A | RecordType::Aaaa) && self.servers.contains(name);
        match record_type {
            _ if !at && !below => Some(Quality::Authoritative),
            // What the zone above says of a cut with its own voice: RFC 4035 sections 2.2 to 2.4.
            RecordType::Other(43 | 46 | 47) if !below => Some(Quality::Authoritative),
            RecordType::Ns if !below => Some(Quality::Cached),
            _ if is_glue => Some(Quality::Cached),
            _ => None,
        }
    }
}
