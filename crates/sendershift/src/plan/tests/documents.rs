//! The plans that people wrote, in `tests/plans`.

use std::collections::BTreeSet;

use crate::dkim;
use crate::dns::{Answer, Evidence, Overlay, RrSet};
use crate::plan::Plan;

macro_rules! plans {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../../tests/plans/", $name, ".json")))),*]
    };
}

const PLANS: [(&str, &str); 7] = plans![
    "broken-cached-ttl",
    "broken-lateness",
    "broken-negative-cache",
    "broken-queued-mail",
    "broken-reject-before-key",
    "safe-make-before-break",
    "safe-split",
];

#[test]
fn they_are_read_and_written() {
    for (name, text) in PLANS {
        let plan = Plan::from_json(text).unwrap_or_else(|invalid| panic!("{name}: {:?}", invalid.problems));
        assert_eq!(plan.title.split(':').next().unwrap().to_lowercase(), name.split('-').next().unwrap());
        assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan, "{name}");
    }
}

/// On time and in order every change fits, and every identity that is live has its keys.
#[test]
fn their_changes_fit() {
    for (name, text) in PLANS {
        let plan = Plan::from_json(text).unwrap();
        let mut world = Overlay::new(&plan.evidence);
        let mut done = BTreeSet::new();
        for step in &plan.steps {
            assert!(step.after.iter().all(|after| done.contains(after.step.as_str())), "{name}: {}", step.id);
            for change in &step.changes {
                let before: Option<RrSet> = match world.answer(&change.name, change.record_type) {
                    Answer::Records(rrset) => Some(rrset.clone()),
                    Answer::NoData | Answer::NxDomain => None,
                    other => panic!("{name}: {} {other:?}", change.name),
                };
                assert_eq!(
                    before.as_ref().and_then(RrSet::ttl),
                    change.ttl_before,
                    "{name}: {}",
                    change.name
                );
                match change.apply(before.as_ref()).unwrap_or_else(|error| panic!("{name}: {error}")) {
                    Some(after) => world.publish(&change.name, after),
                    None => world.remove(&change.name, change.record_type),
                }
            }
            for started in &step.starts {
                let stream = plan.streams.iter().find(|stream| stream.id == started.stream).unwrap();
                let identity = stream.identities.iter().find(|i| i.id == started.identity).unwrap();
                for signature in &identity.dkim {
                    let key = dkim::key(&world, &signature.domain, &signature.selector);
                    assert!(key.is_usable(), "{name}: {key:?}");
                }
            }
            done.insert(step.id.as_str());
        }
    }
}
