//! A name is the same however it is taken apart and put together.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sendershift::name::{DomainName, MAX_LABEL_OCTETS, MAX_NAME_OCTETS};
use sendershift_fuzz::check_problem;

fuzz_target!(|octets: &[u8]| {
    if let Ok(name) = DomainName::from_octets(octets) {
        check_name(&name);
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    match DomainName::parse(text) {
        Ok(name) => check_name(&name),
        Err(problem) => {
            assert!(problem.span.is_some());
            check_problem(text, &problem);
        }
    }
});

fn check_name(name: &DomainName) {
    let text = name.as_str();
    assert_eq!(DomainName::parse(text).as_ref(), Ok(name));
    assert_eq!(DomainName::parse(&text.to_ascii_uppercase()).as_ref(), Ok(name));
    assert!(text.is_ascii() && text.bytes().all(|octet| octet.is_ascii_graphic()), "{text}");
    if !name.is_root() {
        assert_eq!(DomainName::parse(&format!("{text}.")).as_ref(), Ok(name));
    }
    assert!(name.wire_octets() <= MAX_NAME_OCTETS);
    assert_eq!(name.octets().len() + 2, name.wire_octets() + usize::from(name.is_root()));
    assert_eq!(name.labels().count(), name.label_count());
    assert_eq!(name.ancestors().count(), name.label_count() + 1);
    assert!(name.ancestors().all(|ancestor| name.is_within(&ancestor)));
    if let Some((parent, first)) = name.parent().zip(name.labels().next()) {
        assert_eq!(parent.prefixed(first).as_ref(), Ok(name));
        assert!(!parent.is_within(name) && name.shares_top_level(&parent) != parent.is_root());
        assert!(first.len() <= 4 * MAX_LABEL_OCTETS);
    }
    // Without dots inside labels, octets are all that there is to a name.
    if !text.contains("\\.") && !name.is_root() {
        assert_eq!(DomainName::from_octets(&name.octets()).as_ref(), Ok(name));
    }
    let json = serde_json::to_string(name).unwrap();
    assert_eq!(serde_json::from_str::<DomainName>(&json).unwrap(), *name);
}
