//! A key record survives being written and read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sendershift::dkim::{KeyRecord, lint};
use sendershift::dns::{Quality, RecordType, Snapshot};
use sendershift_fuzz::{check_problems, check_report, pieces};
use serde_json::json;

fuzz_target!(|octets: &[u8]| {
    match (KeyRecord::parse(octets), std::str::from_utf8(octets)) {
        (Ok(record), _) => {
            let written = record.to_string();
            let again = KeyRecord::parse(written.as_bytes()).expect("what was written can be read");
            assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(&record).unwrap());
            assert_eq!(
                record.is_revoked(),
                record.bits().is_none() && record.tags().any(|tag| tag == ("p", ""))
            );
        }
        (Err(invalid), Ok(text)) => check_problems(text, &invalid),
        (Err(_), Err(_)) => {}
    }
    let name = "s1._domainkey.shop.example";
    let json = json!({ "format": "sendershift-snapshot/1", "closed": true, "answers": [
        { "name": name, "type": "TXT", "records": [pieces(octets)] },
        { "name": format!("s2.{}", &name[3..]), "type": "TXT", "records": [pieces(octets)] },
    ] });
    let Ok(snapshot) = Snapshot::from_json(&json.to_string()) else { return };
    let quality = snapshot.rrsets(&name.parse().unwrap()).next().map(|(kind, set)| (kind, set.quality()));
    assert_eq!(quality, Some((RecordType::Txt, Quality::Cached)));
    let domain = "shop.example".parse().unwrap();
    check_report(&lint(&snapshot, &[domain], &[], None).expect("the evidence is closed"));
});
