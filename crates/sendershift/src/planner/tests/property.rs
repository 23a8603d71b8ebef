//! Random small migrations: what is planned without blockers is proven safe.

use proptest::prelude::*;

use super::*;
use crate::plan::Plan;

const NETWORKS: [(&str, &str); 2] = [("a", "192.0.2.0/26"), ("b", "198.51.100.0/28")];

/// How one stream is, now and then.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
struct Shape {
    moves: bool,
    signed: [bool; 2],
    /// MAIL FROM of the identity: the author domain, a name below it, or the null sender under a HELO name.
    mail_from: [u8; 2],
    author_below: [bool; 2],
    sources: [u8; 2],
    second_wave: bool,
    needs_both: bool,
    spf_only: bool,
    at_delivery: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let often = || prop::bool::weighted(0.85);
    let rarely = || prop::bool::weighted(0.15);
    let mail_from = || prop_oneof![4 => Just(0u8), 4 => Just(1), 1 => Just(2)];
    (
        (often(), [often(), often()], [mail_from(), mail_from()], [rarely(), rarely()]),
        ([1u8..4, 1u8..4], any::<bool>(), rarely(), rarely(), rarely()),
    )
        .prop_map(
            |(
                (moves, signed, mail_from, author_below),
                (sources, second_wave, needs_both, spf_only, at_delivery),
            )| {
                Shape {
                    moves,
                    signed,
                    mail_from,
                    author_below,
                    sources,
                    second_wave,
                    needs_both,
                    spf_only,
                    at_delivery,
                }
            },
        )
}

/// What is published today, and the parameters.
#[derive(Clone, Debug)]
struct Setting {
    authoritative: bool,
    soa: bool,
    ttl: u32,
    negative: u32,
    stale: u64,
    queue: u64,
    /// Whether the old record authorises the sources directly, by an include, or only the first of them.
    old_spf: u8,
    fillers: usize,
    /// Whether new records authorise the second source by an include.
    by_include: bool,
    parked: u8,
    old_policy: u8,
    new_policy: u8,
    goals: [Option<dmarc::Policy>; 2],
    dwell: u64,
    watch: u64,
}

fn setting() -> impl Strategy<Value = Setting> {
    let goal = || {
        prop::option::of(prop_oneof![
            Just(dmarc::Policy::None),
            Just(dmarc::Policy::Quarantine),
            Just(dmarc::Policy::Reject)
        ])
    };
    (
        (
            any::<bool>(),
            any::<bool>(),
            prop_oneof![Just(60u32), Just(3600), Just(200_000)],
            prop_oneof![Just(300u32), Just(90_000)],
        ),
        (
            0u64..400_000,
            prop_oneof![Just(0u64), 1u64..700_000],
            0u8..3,
            0usize..10,
            0u8..3,
            prop::bool::weighted(0.3),
        ),
        (
            0u8..4,
            0u8..3,
            [goal(), goal()],
            prop_oneof![Just(0u64), 1u64..3_000_000],
            prop_oneof![Just(0u64), 1u64..900_000],
        ),
    )
        .prop_map(
            |(
                (authoritative, soa, ttl, negative),
                (stale, queue, old_spf, fillers, parked, by_include),
                (old_policy, new_policy, goals, dwell, watch),
            )| Setting {
                authoritative,
                soa,
                ttl,
                negative,
                stale,
                queue,
                old_spf,
                fillers,
                by_include,
                parked,
                old_policy,
                new_policy,
                goals,
                dwell,
                watch,
            },
        )
}

fn of_shape(number: usize, shape: &Shape) -> Stream {
    let identity = |id: &str, index: usize, domain: &str| {
        let author = if shape.author_below[index] { format!("app.{domain}") } else { domain.to_owned() };
        let mail_from = match shape.mail_from[index] {
            0 => Some(author.clone()),
            1 => Some(format!("bounce.{domain}")),
            _ => None,
        };
        let selector = format!("s{number}");
        let dkim: &[(&str, &str)] = if shape.signed[index] { &[(&selector, domain)] } else { &[] };
        let sources: Vec<&str> =
            (0..2).filter(|bit| shape.sources[index] & (1 << bit) != 0).map(|bit| NETWORKS[bit].0).collect();
        let mut identity = identity(id, &author, mail_from.as_deref(), dkim, &sources);
        identity.helo = Some(name(&format!("mta.{domain}")));
        identity
    };
    let now = identity("now", 0, "old.example");
    let then = shape.moves.then(|| identity("then", 1, "new.example"));
    let mut stream = stream(&format!("m{number}"), now, then);
    stream.wave = Some(if shape.second_wave { "second" } else { "first" }.to_owned());
    stream.needs_both = shape.needs_both;
    stream.spf_only = shape.spf_only;
    stream.signed_at = if shape.at_delivery { SignedAt::Delivery } else { SignedAt::Injection };
    stream
}

fn evidence(setting: &Setting, streams: &[Stream]) -> Snapshot {
    // What nobody declared, and mail may come from, would be judged too (P10).
    let identities = || streams.iter().flat_map(|stream| [Some(&stream.now), stream.then.as_ref()]).flatten();
    let used = |domain: &str| {
        let is = |name: &DomainName| name.as_str() == domain;
        identities()
            .any(|identity| is(&identity.author_domain) || identity.mail_from.as_ref().is_some_and(is))
    };
    let shared = |domain: &str| !domain.starts_with("app.") && !domain.starts_with("bounce.") || used(domain);
    let mut answers: Vec<String> = mail_hosts(shared).collect();
    let quality = setting.authoritative;
    if setting.soa {
        for zone in ["old.example", "new.example"] {
            let negative = setting.negative;
            answers.push(format!(r#"{{ "name": "{zone}", "type": "SOA", "ttl": 100000, "authoritative": true, "records": ["ns.{zone}. admin.{zone}. 1 7200 900 1209600 {negative}"] }}"#));
        }
    }
    let mut txt = |name: &str, text: &str| {
        let ttl = setting.ttl;
        answers.push(format!(r#"{{ "name": "{name}", "type": "TXT", "ttl": {ttl}, "authoritative": {quality}, "records": [{text:?}] }}"#));
    };
    let terms = match setting.old_spf {
        0 => "ip4:192.0.2.0/26 ip4:198.51.100.0/28",
        1 => "include:all.old.example",
        _ => "ip4:192.0.2.0/26",
    };
    let fillers: Vec<String> = (0..setting.fillers).map(|n| format!("include:f{n}.old.example")).collect();
    for name in ["old.example", "bounce.old.example", "app.old.example", "mta.old.example"]
        .into_iter()
        .filter(|name| shared(name))
    {
        txt(name, &format!("v=spf1 {} {terms} ~all", fillers.join(" ")));
    }
    txt("all.old.example", "v=spf1 ip4:192.0.2.0/26 ip4:198.51.100.0/28 ?all");
    txt("b.old.example", "v=spf1 ip4:198.51.100.0/28 -all");
    for n in 0..setting.fillers {
        txt(&format!("f{n}.old.example"), "v=spf1 ip4:203.0.113.7 ?all");
    }
    match setting.parked {
        0 => {}
        1 => txt("new.example", "v=spf1 -all"),
        _ if used("bounce.new.example") => txt("bounce.new.example", "v=spf1 ip4:203.0.113.9 -all"),
        _ => {}
    }
    let policy = |number| {
        [
            "",
            "v=DMARC1; p=none",
            "v=DMARC1; p=reject; rua=mailto:reports@old.example",
            "v=DMARC1; p=none; sp=quarantine",
        ][usize::from(number)]
    };
    if setting.old_policy > 0 {
        txt("_dmarc.old.example", policy(setting.old_policy));
    }
    if setting.new_policy > 0 {
        txt("_dmarc.new.example", policy(setting.new_policy));
    }
    let mut keys: Vec<String> = streams
        .iter()
        .flat_map(|stream| &stream.now.dkim)
        .map(|key| format!("{}._domainkey.{}", key.selector, key.domain))
        .collect();
    keys.dedup();
    for key in keys {
        txt(&key, KEY);
    }
    let document = format!(
        r#"{{ "format": "sendershift-snapshot/1", "closed": true, "answers": [{}] }}"#,
        answers.join(", ")
    );
    Snapshot::from_json(&document).unwrap()
}

fn planned_at_random(shapes: &[Shape], setting: &Setting) -> (Plan, Migration) {
    let streams: Vec<Stream> =
        shapes.iter().enumerate().map(|(number, shape)| of_shape(number, shape)).collect();
    let evidence = evidence(setting, &streams);
    let sources = NETWORKS.map(|(id, network)| {
        let mut source = source(id, network, &format!("ip4:{network}"));
        source.terms.push("include:all.old.example".to_owned());
        if setting.by_include && id == "b" {
            source.include = Some(name("b.old.example"));
        }
        source
    });
    // A policy for a domain that nobody is declared to write from would change what becomes of other mail (P10).
    let identities = || streams.iter().flat_map(|stream| [Some(&stream.now), stream.then.as_ref()]).flatten();
    let declared = identities().any(|identity| {
        identity.author_domain == name("old.example") || identity.mail_from == Some(name("old.example"))
    });
    let goals = [setting.goals[0].filter(|_| declared), setting.goals[1]];
    let domains = vec![domain("old.example", goals[0]), domain("new.example", goals[1])];
    let mut migration = migration(domains, sources.to_vec(), streams);
    for domain in &mut migration.domains {
        if let Some(goal) = &mut domain.dmarc {
            goal.dwell = setting.dwell;
        }
    }
    migration.waves = vec![wave("first"), wave("second")];
    for wave in &mut migration.waves {
        wave.watch = setting.watch;
    }
    migration.parameters.resolver_stale = setting.stale;
    migration.parameters.queue_lifetime = setting.queue;
    migration.parameters.signature_lifetime = setting.queue * 2;
    let plan = crate::planner::plan(&migration, &evidence).unwrap();
    (plan, migration)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(512), ..ProptestConfig::default() })]

    /// The most valuable of all: the planner and the prover compute waits on their own, and agree.
    #[test]
    fn what_is_planned_is_proven(shapes in prop::collection::vec(shape(), 1..4), setting in setting()) {
        let (plan, migration) = planned_at_random(&shapes, &setting);
        plan.check().map_err(|invalid| TestCaseError::fail(format!("{:#?}", invalid.problems)))?;
        let proof = prove(&plan).unwrap();
        if plan.blockers.is_empty() {
            let story: Vec<_> = proof.promises.iter().filter_map(|promise| promise.counterexample.as_ref()).map(|counterexample| (counterexample.code, counterexample.story.clone())).collect();
            prop_assert_eq!(proof.verdict, Judged::Safe, "{:#?}\n{:#?}\n{:#?}", proof.undecided, story, plan.steps.iter().map(|step| (&step.id, &step.after)).collect::<Vec<_>>());
        }
        // The same input gives the same plan.
        prop_assert_eq!(crate::planner::plan(&migration, &plan.evidence).unwrap().to_json(), plan.to_json());
    }
}

/// The property above is about plans without blockers: enough of them must have none, and move something.
#[test]
fn enough_plans_are_complete() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut blocked: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    let (mut complete, mut moving, mut shrinking, mut tightening) = (0, 0, 0, 0);
    for _ in 0..300 {
        let shapes = prop::collection::vec(shape(), 1..4).new_tree(&mut runner).unwrap().current();
        let setting = setting().new_tree(&mut runner).unwrap().current();
        let (plan, _) = planned_at_random(&shapes, &setting);
        for blocker in &plan.blockers {
            *blocked.entry(blocker.code.clone()).or_default() += 1;
        }
        let has = |prefix: &str| plan.steps.iter().any(|step| step.id.starts_with(prefix));
        if plan.blockers.is_empty() {
            complete += 1;
            moving += usize::from(has("move-"));
            shrinking += usize::from(has("shrink-"));
            tightening += usize::from(has("dmarc-"));
        }
    }
    assert!(
        complete > 100 && moving > 80 && shrinking > 30 && tightening > 20,
        "{complete} {moving} {shrinking} {tightening} {blocked:?}"
    );
}
