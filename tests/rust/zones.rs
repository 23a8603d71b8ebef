//! The zone files of `tests/zones`: what we read in them, written to `target/zones` so that other readers and a name
//! server can be asked about the same files (`tests/zones/compare.py`, `cargo xtask test zones`).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sendershift::dns::zone::ZoneFile;
use sendershift::dns::{Answer, Evidence, Quality, RecordType, Records, RrSet, Snapshot, Txt};
use sendershift::name::DomainName;
use serde_json::{Value, json};

/// Zones whose answers are compared with those of a server. They are loaded together, so each has a name of its own.
const SERVED: [&str; 6] = ["corporate", "hosting", "odd/served", "parked", "university", "vendor"];

const TYPES: [&str; 8] = ["A", "AAAA", "CNAME", "DS", "MX", "NS", "SOA", "TXT"];

fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("zones");
    let mut paths: Vec<PathBuf> = [root.clone(), root.join("odd")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zone"))
        .collect();
    paths.sort();
    let file = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().with_extension("");
        (name.to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
    };
    paths.into_iter().map(file).collect()
}

/// Records in presentation form, each string of a TXT record in quotes of its own.
fn texts(rrset: &RrSet) -> Vec<String> {
    let quoted = |string: String| format!("\"{}\"", string.replace('"', "\\\""));
    match rrset.records() {
        Records::Txt(texts) => {
            let strings = |txt: &Txt| txt.strings().into_iter().map(quoted).collect::<Vec<_>>().join(" ");
            texts.iter().map(strings).collect()
        }
        records => records.to_texts(),
    }
}

fn written(text: &str) -> Value {
    match ZoneFile::parse(text, None) {
        Ok(zone) => {
            let set = |set: &sendershift::dns::zone::ZoneRrSet| {
                json!({ "name": set.name, "type": set.rrset.records().record_type(), "ttl": set.rrset.ttl(),
                        "records": texts(&set.rrset) })
            };
            json!({ "apex": zone.apex, "rrsets": zone.rrsets.iter().map(set).collect::<Vec<_>>() })
        }
        Err(invalid) => {
            let codes: Vec<&str> = invalid.problems.iter().map(|problem| problem.code).collect();
            assert!(codes.iter().all(|code| code.starts_with("zone.")), "{codes:?}");
            json!({ "problems": codes })
        }
    }
}

/// The names of a zone, what lies above them in it, and beside and below those names that do not exist.
fn names(zone: &ZoneFile) -> BTreeSet<DomainName> {
    let listed = zone.rrsets.iter().flat_map(|set| set.name.ancestors());
    let within: BTreeSet<DomainName> = listed.filter(|name| name.is_within(&zone.apex)).collect();
    let below = within.iter().flat_map(|name| ["nx", "*", "a.nx"].map(|labels| name.prefixed(labels)));
    let below: Vec<DomainName> = below.filter_map(Result::ok).collect();
    within.into_iter().chain(below).collect()
}

fn answers(text: &str) -> Vec<Value> {
    let (zone, snapshot) = (ZoneFile::parse(text, None).unwrap(), Snapshot::from_zone(text, None).unwrap());
    let mut answers = Vec::new();
    for name in names(&zone) {
        // A DS record at the apex belongs to the zone above, of which a server of this zone alone knows nothing.
        for kind in TYPES.into_iter().filter(|kind| *kind != "DS" || name != zone.apex) {
            let (word, rrset) = match snapshot.answer(&name, kind.parse::<RecordType>().unwrap()) {
                Answer::Records(rrset) if rrset.quality() == Quality::Cached => ("unknown", None),
                Answer::Records(rrset) => ("records", Some(rrset)),
                Answer::Alias(rrset) => ("alias", Some(rrset)),
                Answer::NoData => ("nodata", None),
                Answer::NxDomain => ("nxdomain", None),
                Answer::Unknown => ("unknown", None),
                Answer::Failed => panic!("a zone file does not fail"),
            };
            answers.push(json!({ "name": name, "type": kind, "answer": word, "ttl": rrset.map(RrSet::ttl),
                                 "records": rrset.map(texts) }));
        }
    }
    answers
}

#[test]
fn what_we_read_is_written_down() {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/zones");
    if out.exists() {
        fs::remove_dir_all(&out).unwrap();
    }
    fs::create_dir_all(out.join("odd")).unwrap();
    let files = files();
    assert!(files.len() >= 90, "{}", files.len());
    for (name, text) in files {
        let mut document = written(&text);
        if SERVED.contains(&name.as_str()) {
            document.as_object_mut().unwrap().insert("answers".to_owned(), json!(answers(&text)));
        }
        fs::write(out.join(format!("{name}.json")), document.to_string()).unwrap();
    }
}

/// The zones that look like real ones are read without a problem.
#[test]
fn real_shaped_zones_are_read() {
    let real: Vec<_> = files().into_iter().filter(|(name, _)| !name.starts_with("odd/")).collect();
    assert_eq!(real.len(), 5);
    for (name, text) in real {
        if let Err(invalid) = Snapshot::from_zone(&text, None) {
            panic!("{name}: {invalid}");
        }
    }
}
