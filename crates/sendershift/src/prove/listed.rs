//! What `exists` terms ask for by address, where the evidence has the answer: a failure that needs such a term not to match is none.

use std::net::IpAddr;

use super::binding::Binding;
use super::counterexample::{Client, expanded};
use super::world::World;
use crate::dns::{Answer, Evidence, Question, RecordType};
use crate::net::IpRange;
use crate::spf::{Branch, Case, Leaf, Policy, Turnout, Unknown};

/// The most addresses of a class, and terms, that are looked at one by one. Beyond that everything is held possible.
const MAX_ADDRESSES: usize = 64;
const MAX_UNKNOWNS: usize = 3;

/// A message of a class that fails and that the evidence allows, where that can be told; `first` otherwise.
pub(super) fn possible(
    world: &World<'_>,
    binding: &Binding<'_>,
    policy: &Policy,
    range: IpRange,
    first: &[(Unknown, Branch)],
    fails: &dyn Fn(&Leaf) -> bool,
) -> Option<(IpAddr, Vec<(Unknown, Branch)>)> {
    let unsettled = Some((range.first(), first.to_vec()));
    if first.is_empty() || policy.unknowns().len() > MAX_UNKNOWNS {
        return unsettled;
    }
    let addresses: Vec<IpAddr> = each(range).take(MAX_ADDRESSES + 1).collect();
    if addresses.len() > MAX_ADDRESSES {
        return unsettled;
    }
    addresses.into_iter().find_map(|ip| {
        let allowed = |case: &Case<Leaf>| {
            case.assuming.iter().all(|(unknown, branch)| {
                branch.turnout != Turnout::NoMatch || !is_listed(world, binding, unknown, ip)
            })
        };
        let case = policy.cases(ip).into_iter().find(|case| fails(&case.leaf) && allowed(case))?;
        Some((ip, case.assuming))
    })
}

/// The addresses of a range, one by one.
fn each(range: IpRange) -> Box<dyn Iterator<Item = IpAddr>> {
    match (range.first(), range.last()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            Box::new((u32::from(first)..=u32::from(last)).map(|ip| IpAddr::V4(ip.into())))
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            Box::new((u128::from(first)..=u128::from(last)).map(|ip| IpAddr::V6(ip.into())))
        }
        (first, last) => Box::new([first, last].into_iter()),
    }
}

/// Whether the evidence lists, and the plan does not change, what an `exists` term asks for, whatever else the message is.
fn is_listed(world: &World<'_>, binding: &Binding<'_>, unknown: &Unknown, ip: IpAddr) -> bool {
    let by_address = unknown.target.split("%{").skip(1).all(|text| text.starts_with(['i', 'I']));
    if unknown.mechanism != "exists" || !by_address {
        return false;
    }
    let Some(name) = Client::of(binding).and_then(|client| expanded(client, &unknown.target, ip)) else {
        return false;
    };
    let changes = [RecordType::A, RecordType::Cname]
        .into_iter()
        .any(|kind| world.flux.versions(&Question::new(name.clone(), kind)).is_some());
    // What a wildcard answers today a new name can hide.
    !changes
        && world.plan.evidence.wildcard(&name).is_none()
        && matches!(world.plan.evidence.answer(&name, RecordType::A), Answer::Records(_))
}
