use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::ZoneFile;
use crate::dns::{RecordType, Snapshot};

const HEAD: &str = "$ORIGIN shop.example.\n$TTL 1h\n@ SOA ns hostmaster 1 2h 15m 2w 30m\n NS ns\n";

/// Lines of zones: words that mean something, in any order.
fn lines() -> impl Strategy<Value = String> {
    let owner = prop::sample::select(vec![
        "", "@", "*", "a", "*.a", "b.a", "_dmarc", "sub", "ns.sub", "x.sub", "old", "y.old", "*.sub",
        "z.*.a", "a\\.b",
    ]);
    let data = prop::sample::select(vec![
        "A 192.0.2.1",
        "60 A 192.0.2.2",
        "IN AAAA 2001:db8::1",
        "TXT \"v=spf1 -all\"",
        "TXT ( \"two \"\n  strings ) ; comment",
        "TXT \"\\228\\\"\\\\\"",
        "TXT \\# 4 03616263",
        "MX 10 mx",
        "MX 0 .",
        "PTR host",
        "CNAME host",
        "NS ns.sub",
        "NS ns.else.example.",
        "DS 1 13 2 ABCD",
        "DNAME new",
        "SPF \"v=spf1 ;\"",
        "SRV 0 0 25 host",
        "TYPE4711 \\# 2 abcd",
    ]);
    let line = (owner, data).prop_map(|(owner, data)| format!("{owner} {data}\n"));
    prop::collection::vec(line, 0..10).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// A zone is the same when it is read back from its document, and when it is merged with itself.
    #[test]
    fn round_trip(lines in lines()) {
        let text = format!("{HEAD}{lines}");
        if let Ok(first) = Snapshot::from_zone(&text, None) {
            let json = serde_json::to_string(&first).unwrap();
            prop_assert_eq!(&Snapshot::from_json(&json).unwrap(), &first);
            for sources in [[&*text, &*json], [&*json, &*text], [&*text, &*text]] {
                let merged = Snapshot::from_sources(&[("one", sources[0]), ("two", sources[1])]);
                prop_assert_eq!(merged.as_ref(), Ok(&first));
            }
        }
    }

    #[test]
    fn never_panics(text in "[ \\t\\r\\n();\"\\\\$@*.a-zA-Z0-9#ä]{0,80}") {
        let _ = ZoneFile::parse(&text, None);
        let _ = ZoneFile::parse(&format!("{HEAD}{text}"), Some(&"other.example".parse().unwrap()));
    }

    #[test]
    fn never_panics_on_words(words in prop::collection::vec(prop::sample::select(vec![
        "$ORIGIN", "$TTL", "@", "*", "a", "IN", "60", "1h", "A", "TXT", "SOA", "CNAME", "\\#", "4", "c0000201", "(", ")",
        "\"", "\"x\"", ";", "\n", "\n ", "\\", "192.0.2.1", "ns", ".",
    ]), 0..40)) {
        let _ = ZoneFile::parse(&words.join(" "), Some(&"shop.example".parse().unwrap()));
    }
}

/// The generator above makes zones that can be read, or its laws would hold of nothing.
#[test]
fn many_generated_zones_are_good() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let good = (0..200).filter(|_| {
        let lines = lines().new_tree(&mut runner).unwrap().current();
        Snapshot::from_zone(&format!("{HEAD}{lines}"), None).is_ok()
    });
    assert!(good.count() > 50);
}

#[test]
fn an_origin_may_be_given() {
    let zone = "@ 60 SOA ns hostmaster 1 2 3 4 5\n";
    let parsed = ZoneFile::parse(zone, Some(&"shop.example".parse().unwrap())).unwrap();
    assert_eq!(parsed.apex.as_str(), "shop.example");
    assert_eq!(parsed.rrsets[0].rrset.records().record_type(), RecordType::Soa);
}

/// A file that is something else altogether does not fill the screen for ever.
#[test]
fn reading_stops_after_many_problems() {
    let invalid = ZoneFile::parse(&"$WHAT is this\n".repeat(100_000), None).unwrap_err();
    assert_eq!(invalid.problems.len(), super::MAX_PROBLEMS + 1, "and no SOA record");
}
