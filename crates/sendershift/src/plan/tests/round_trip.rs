//! Writing and reading random plans.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::adjacent::MtaStsPolicy;
use crate::dns::{RecordType, Records, Snapshot, Txt};
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::{
    After, Change, Customer, Dates, Expect, Fallback, GivenUp, Identity, Parameters, Plan, Preview,
    PublishedPolicy, Remark, Signature, SignedAt, Source, Step, StepKind, Stream, Undo, Use,
};
use crate::spf::Profile;

const IDENTITIES: usize = 4;

fn time() -> impl Strategy<Value = Timestamp> {
    (-1_000_000_000i64..4_000_000_000, prop_oneof![Just(0), 0i32..1_000_000_000])
        .prop_map(|(second, nano)| Timestamp::new(second, nano).unwrap())
}

fn name() -> impl Strategy<Value = DomainName> {
    "([a-z_*][a-z0-9]{0,5}\\.){1,2}example".prop_map(|text| text.parse().unwrap())
}

/// A name that mail can have.
fn domain() -> impl Strategy<Value = DomainName> {
    "([a-z_][a-z0-9]{0,5}\\.){1,2}example".prop_map(|text| text.parse().unwrap())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{0,8}", "\\PC{0,8}"]
}

fn records() -> impl Strategy<Value = Records> {
    let strings = vec("[ -\\[\\]-~]{0,9}", 1..4).prop_map(|strings| Txt::from_strings(&strings).unwrap());
    prop_oneof![
        vec(any::<u32>(), 1..3).prop_map(|list| Records::A(list.into_iter().map(Into::into).collect())),
        vec(strings, 1..4).prop_map(Records::Txt),
        name().prop_map(Records::Cname),
        (any::<u16>(), name()).prop_map(|(preference, exchange)| {
            let host = format!("{preference} {exchange}.");
            Records::parse(RecordType::Mx, &[&host]).unwrap()
        }),
        vec("[ -~]{1,9}", 1..3).prop_map(|texts| Records::Other(257, texts)),
    ]
}

/// A change of a name of its own, with records of one type in all its parts.
fn change(index: usize) -> impl Strategy<Value = Change> {
    let flags = any::<[bool; 4]>();
    (records(), flags, 1u32..9, 1u32..9).prop_map(
        move |(records, [add, remove, expect, preview], one, two)| {
            let of = |flag: bool| flag.then(|| records.clone());
            Change {
                name: format!("n{index}.example").parse().unwrap(),
                record_type: records.record_type(),
                ttl_before: remove.then_some(one),
                ttl_after: add.then_some(two),
                remove: if add { of(remove) } else { Some(records.clone()) },
                add: of(add),
                expect: expect.then(|| if add { Expect::Present(records.clone()) } else { Expect::Absent }),
                preview: preview.then(|| Preview { before: of(remove), after: of(add) }),
            }
        },
    )
}

fn dates() -> impl Strategy<Value = Dates> {
    (time(), option::of(time()), option::of(-9_999_999i64..9_999_999))
        .prop_map(|(earliest, latest, slack)| Dates { earliest, latest, slack })
}

fn given_up() -> impl Strategy<Value = GivenUp> {
    prop_oneof![Just(GivenUp::Source("source".to_owned())), domain().prop_map(GivenUp::Name)]
}

/// The undo steps of a step: one after the other.
fn undo(index: usize) -> impl Strategy<Value = Undo> {
    let step = move |at: usize| {
        (change(index), text(), any::<bool>(), 0u64..9).prop_map(move |(change, title, waits, at_least)| {
            let mut step = Step::new(
                format!("s{index}/undo{at}"),
                if at.is_multiple_of(2) { StepKind::Dns } else { StepKind::Gate },
            );
            step.title = title;
            let before = if at > 0 { format!("s{index}/undo{}", at - 1) } else { format!("s{index}") };
            step.after = waits.then_some(After { step: before, at_least }).into_iter().collect();
            step.changes = (step.kind == StepKind::Dns).then_some(change).into_iter().collect();
            step
        })
    };
    let steps = (1..4usize).prop_flat_map(move |count| (0..count).map(step).collect::<Vec<_>>());
    prop_oneof![text().prop_map(Undo::Text), steps.prop_map(Undo::Steps)]
}

/// A step of a chain: the index decides its place, and what it may do.
fn step(index: usize) -> impl Strategy<Value = Step> {
    let kind = match index {
        0 => StepKind::External,
        1..=4 => StepKind::Send,
        5 => StepKind::Notify,
        6 => StepKind::Gate,
        7 => StepKind::Customer,
        _ => StepKind::Dns,
    };
    let changes =
        if kind == StepKind::Dns { vec(change(index), 1..2).boxed() } else { Just(Vec::new()).boxed() };
    let r#use = (option::of(1u16..=1000), option::of(0u64..1_000_000)).prop_map(move |(share, over)| Use {
        stream: "stream".to_owned(),
        identity: format!("i{}", index % IDENTITIES),
        share,
        over,
    });
    let undo = undo(index);
    (
        vec(text(), 6),
        0u64..=3_153_600_000,
        time(),
        changes,
        r#use,
        (option::of(dates()), vec(given_up(), 0..3)),
        any::<bool>(),
        undo,
    )
        .prop_map(move |(texts, at_least, on, changes, r#use, (dates, gives_up), reversible, undo)| {
            let [phase, owner, title, why, done_when, abort_when] = texts.try_into().unwrap();
            let live = index.is_multiple_of(IDENTITIES);
            let uses =
                |wanted| if kind == StepKind::Send && wanted { vec![r#use.clone()] } else { Vec::new() };
            Step {
                id: format!("s{index}"),
                phase,
                kind,
                owner,
                title,
                why,
                after: (index > 1)
                    .then(|| After { step: format!("s{}", index - 1), at_least })
                    .into_iter()
                    .collect(),
                on: (kind == StepKind::External).then_some(on),
                changes,
                starts: uses(!live),
                stops: uses(live),
                gives_up,
                done_when,
                abort_when,
                undo,
                reversible,
                dates,
            }
        })
}

fn stream() -> impl Strategy<Value = Stream> {
    let identity = |index: usize| {
        let signature = (domain(), "[a-z0-9]{1,5}(\\.[a-z0-9]{1,5})?")
            .prop_map(|(domain, selector)| Signature { domain, selector: selector.parse().unwrap() });
        (domain(), option::of(domain()), option::of(domain()), vec(signature, 0..3)).prop_map(
            move |(author_domain, mail_from, helo, dkim)| Identity {
                id: format!("i{index}"),
                author_domain,
                mail_from,
                helo,
                dkim,
                sources: vec!["source".to_owned()],
            },
        )
    };
    let identities: Vec<_> = (0..IDENTITIES).map(identity).collect();
    (text(), identities, any::<[bool; 4]>()).prop_map(|(title, identities, flags)| Stream {
        id: "stream".to_owned(),
        title,
        identities,
        live: vec!["i0".to_owned()],
        needs_both: flags[0],
        spf_only: flags[1],
        signed_at: if flags[2] { SignedAt::Delivery } else { SignedAt::Injection },
        judged_from: flags[3].then(|| "s1".to_owned()),
    })
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let receivers = subsequence(vec![&Profile::RFC7208, &Profile::STRICT], 1..=2);
    let durations = proptest::array::uniform5(0u64..=3_153_600_000);
    (time(), option::of(time()), -1439i32..1440, durations, receivers, any::<bool>()).prop_map(
        |(start, deadline, minutes, durations, receivers, limits)| {
            let [queue_lifetime, signature_lifetime, resolver_stale, ttl_ceiling, publication_delay] =
                durations;
            Parameters {
                start,
                deadline,
                utc_offset: minutes * 60,
                queue_lifetime,
                signature_lifetime,
                resolver_stale,
                ttl_ceiling,
                publication_delay,
                receivers,
                within_limits_from: limits.then(|| "s1".to_owned()),
            }
        },
    )
}

/// A customer, who refers to two steps that have to be there.
fn customer() -> impl Strategy<Value = Customer> {
    let lead = 0u64..=3_153_600_000;
    (lead, vec(domain(), 0..3), any::<[bool; 2]>()).prop_map(|(lead, own_domains, [ready, falls_back])| {
        let owns = !own_domains.is_empty();
        let fallback = Fallback { stream: "stream".to_owned(), identity: "i0".to_owned() };
        Customer {
            ready_when: (ready && owns).then(|| "seen".to_owned()),
            fallback: (falls_back && owns).then_some(fallback),
            own_domains,
            ..Customer::new("c", vec!["stream".to_owned()], lead, "told")
        }
    })
}

/// The policies of two domains, of which the last is published by a step that has to be there.
fn policies() -> impl Strategy<Value = Vec<PublishedPolicy>> {
    let text = ("(enforce|testing|none)", 0u32..31_557_600, "(\\*\\.)?[a-z]{1,3}\\.example", "[ \t]?\r?\n?")
        .prop_map(|(mode, max_age, mx, end)| {
            format!("version: STSv1\nmode: {mode}\nmx: {mx}\r\nmax_age: {max_age}{end}")
        });
    let policy = text.prop_map(|text| {
        PublishedPolicy::new("shop.example".parse().unwrap(), MtaStsPolicy::parse(&text).unwrap())
    });
    vec(policy, 0..3).prop_map(|mut policies| {
        if let [first, .., last] = policies.as_mut_slice() {
            first.domain = "news.example".parse().unwrap();
            last.from = Some("date".to_owned());
        }
        policies
    })
}

fn remarks() -> impl Strategy<Value = Vec<Remark>> {
    let remark = (text(), option::of(text()), text())
        .prop_map(|(code, subject, message)| Remark::new(&code, subject.as_deref(), message));
    vec(remark, 0..3)
}

fn plan() -> impl Strategy<Value = Plan> {
    let source = (vec(any::<u32>(), 1..4), option::of(name()), option::of(text())).prop_map(
        |(addresses, include, assumed)| Source {
            id: "source".to_owned(),
            addresses: AddressSet::from_nets(
                addresses
                    .into_iter()
                    .map(|a| ipnet::Ipv4Net::new(a.into(), 8 + (a % 25) as u8).unwrap().into()),
            ),
            include,
            assumed,
        },
    );
    let steps = (2..12usize).prop_flat_map(|count| (0..count).map(step).collect::<Vec<_>>());
    let steps = steps.prop_map(|mut steps| {
        let date = Step { on: Some(Timestamp::UNIX_EPOCH), ..Step::new("date", StepKind::External) };
        steps.extend([Step::new("told", StepKind::Notify), Step::new("seen", StepKind::Gate), date]);
        steps
    });
    let remarks = [remarks(), remarks(), remarks()];
    let path = vec(text(), 0..3);
    (text(), parameters(), source, stream(), (steps, vec(customer(), 0..2), policies()), remarks, path, option::of(text())).prop_map(
        |(title, parameters, source, stream, (steps, customers, mta_sts), [assumptions, findings, blockers], critical_path, end)| Plan {
            title,
            parameters,
            sources: vec![source],
            streams: vec![stream],
            customers,
            mta_sts,
            steps,
            evidence: Snapshot::from_json(
                r#"{ "format": "sendershift-snapshot/1", "closed": true, "answers": [
                    { "name": "example", "type": "TXT", "ttl": 60, "authoritative": true, "records": ["a", ["b", "c"]] }] }"#,
            )
            .unwrap(),
            assumptions,
            findings,
            blockers,
            critical_path,
            point_of_no_return: end,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(plan in plan()) {
        let text = plan.to_json();
        match Plan::from_json(&text) {
            Ok(read) => {
                prop_assert_eq!(&read, &plan);
                prop_assert_eq!(read.to_json(), text);
            }
            Err(invalid) => prop_assert!(false, "{:#?} in {}", invalid.problems, text),
        }
    }

    #[test]
    fn hostile_texts_never_panic(
        at in any::<prop::sample::Index>(),
        length in 0usize..9,
        with in prop_oneof![Just("null"), Just("0"), Just("\"\""), Just("[]"), Just("{}"), Just("\\"), Just("")],
    ) {
        let minimal = super::read::MINIMAL;
        let start = at.index(minimal.len());
        let mut text = minimal.to_owned();
        text.replace_range(start..(start + length).min(minimal.len()), with);
        if let Err(invalid) = Plan::from_json(&text) {
            prop_assert!(!invalid.problems.is_empty());
            prop_assert!(invalid.problems.iter().all(|p| p.span.is_some_and(|span| span.end <= text.len())));
        }
    }
}

#[test]
fn the_form_of_a_document() {
    let plan = Plan::from_json(super::read::MINIMAL).unwrap();
    let json: serde_json::Value = serde_json::from_str(&plan.to_json()).unwrap();
    assert_eq!(json["format"], crate::plan::FORMAT);
    assert_eq!(json["parameters"]["start"], "2026-11-02T00:00:00Z");
    assert_eq!(json["parameters"]["queue_lifetime"], "PT432000S");
    assert_eq!(json["parameters"]["utc_offset"], "+00:00");
    assert_eq!(json["parameters"]["receivers"], serde_json::json!(["rfc7208", "strict"]));
    assert_eq!(json["steps"][0]["changes"][0]["expect"], "absent");
    assert_eq!(json["steps"][0]["changes"][0]["type"], "TXT");
    assert_eq!(json["steps"][1]["after"], serde_json::json!([{ "step": "publish", "at_least": "PT60S" }]));
    assert_eq!(json["steps"][3]["on"], "2027-01-01T00:00:00Z");
    assert_eq!(json["steps"][3]["kind"], "external");
    assert_eq!(json["steps"][0].get("earliest"), None);
}
