//! Where mail goes that is sent to domains from which nothing is declared: no promise is about them, and whether another host takes their mail no
//! evidence tells.

use std::collections::BTreeSet;

use super::users::Users;
use super::world::Flux;
use crate::adjacent::MtaSts;
use crate::dns::{Question, RecordType, Records, Resolved, resolve};
use crate::name::DomainName;
use crate::plan::{Change, Plan, Remark, StepKind};

/// The first step for each such domain that names mail hosts for it, or announces a policy of MTA-STS, where mail can be sent to it today.
pub(super) fn elsewhere(plan: &Plan, flux: &Flux, users: &Users<'_>) -> Vec<Remark> {
    let ours = plan.steps.iter().filter(|step| step.kind != StepKind::External);
    let routing = ours.flat_map(|step| {
        let changes = step.changes.iter();
        changes.filter_map(move |change| Some((step, change, routed(plan, flux, change)?)))
    });
    let (mut asked, mut told, mut remarks) = (None, BTreeSet::new(), Vec::new());
    for (step, change, domain) in routing {
        let asked = asked.get_or_insert_with(|| users.asked(plan, flux));
        if asked.contains(&Question::new(domain.clone(), RecordType::Mx)) || !told.insert(domain.clone()) {
            continue;
        }
        let (code, message) = if change.record_type == RecordType::Mx {
            (
                "proof.mail-hosts",
                format!(
                    "step `{}` names mail hosts for this domain, and nobody declared what comes from it: the verdict holds if these take its mail, where others do today",
                    step.id
                ),
            )
        } else {
            (
                "proof.mta-sts",
                format!(
                    "step `{}` announces a policy for this domain, and nobody declared what comes from it: the verdict holds if the policy allows its mail hosts (RFC 8461)",
                    step.id
                ),
            )
        };
        remarks.push(Remark::new(code, Some(domain.as_str()), message));
    }
    remarks
}

/// The domain that gets other mail hosts by a change, or a policy that says which they are; none where nobody can send mail to it today.
fn routed(plan: &Plan, flux: &Flux, change: &Change) -> Option<DomainName> {
    let domain = match (change.record_type, change.add.as_ref()?) {
        (RecordType::Mx, _) => change.name.clone(),
        (_, Records::Txt(texts)) if !texts.iter().any(|text| MtaSts::is_mta_sts(text.octets())) => {
            return None;
        }
        (RecordType::Txt | RecordType::Cname, _) => {
            DomainName::parse(change.name.as_str().strip_prefix("_mta-sts.")?).ok()?
        }
        _ => return None,
    };
    let today = flux.era(plan, 0);
    let is_there = |kind| !matches!(resolve(&today, &domain, kind), Resolved::Absent { .. });
    [RecordType::Mx, RecordType::A, RecordType::Aaaa].into_iter().any(is_there).then_some(domain)
}
