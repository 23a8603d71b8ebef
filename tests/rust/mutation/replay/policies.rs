//! Policies of MTA-STS in counterexamples, by a reading of their own (RFC 8461 sections 3.2 and 4.1).

use sendershift::dns::{Overlay, RecordType, Resolved, Snapshot, resolve};
use sendershift::name::DomainName;
use sendershift::plan::{Identity, Plan, StepKind};
use sendershift::prove::{Counterexample, Judgement};

/// Whether a sender that holds the policy of a counterexample can hold it then, and finds no mail host that it allows.
pub(super) fn refuse_delivery(
    plan: &Plan,
    evidence: &Overlay<&Snapshot>,
    identity: &Identity,
    found: &Counterexample,
) -> Result<(), String> {
    let held = found.mta_sts.as_ref().ok_or("no policy is held")?;
    let returned = found.judgement == Some(Judgement::Bounce);
    let domain = if returned { identity.mail_from.as_ref() } else { Some(&identity.author_domain) }
        .ok_or("no domain")?;
    if held.domain != *domain {
        return Err(format!("the policy is of {}, and mail goes to {domain}", held.domain));
    }
    let of_domain: Vec<_> = plan.mta_sts.iter().filter(|published| published.domain == *domain).collect();
    let at = of_domain
        .iter()
        .position(|published| published.from == held.published_by && published.policy == held.policy)
        .ok_or("the plan has no such policy")?;
    let next = of_domain.get(at + 1).and_then(|published| published.from.as_ref());
    // A way that is taken back half way leaves out what lies between.
    let undone =
        |id: &String| plan.steps.iter().flat_map(|step| step.undo.steps()).any(|undo| undo.id == *id);
    let mut later = of_domain.iter().skip(at + 1).filter_map(|published| published.from.as_ref());
    let is_undone = held.replaced_by.as_ref().is_some_and(|id| undone(id) && later.any(|from| from == id));
    if next != held.replaced_by.as_ref() && !is_undone {
        return Err("it is not replaced by that step".to_owned());
    }
    // The text alone.
    let text = held.policy.text();
    let fields: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key, value.trim()))
        .collect();
    let first = |key: &str| fields.iter().find(|(of, _)| *of == key).map(|(_, value)| *value);
    if first("mode") != Some("enforce") {
        return Err("the policy asks for nothing".to_owned());
    }
    let max_age: i64 = first("max_age").and_then(|value| value.parse().ok()).ok_or("no max_age")?;
    let steps = (held.published_by.as_deref(), held.replaced_by.as_deref());
    in_time(plan, found, steps, max_age + old_host(plan, domain))?;
    let allowed = |host: &DomainName| {
        let host = host.as_str().trim_end_matches('.');
        fields.iter().filter(|(key, _)| *key == "mx").any(|(_, pattern)| {
            let pattern = pattern.to_ascii_lowercase();
            match pattern.strip_prefix("*.") {
                Some(rest) => host.split_once('.').is_some_and(|(_, parent)| parent == rest),
                None => host == pattern,
            }
        })
    };
    let listed = |name: &DomainName, kind| match resolve(evidence, name, kind) {
        Resolved::Records(rrset) => rrset.records().to_texts(),
        _ => Vec::new(),
    };
    let exchanges = listed(domain, RecordType::Mx);
    let mut hosts: Vec<DomainName> =
        exchanges.iter().filter_map(|text| text.split_once(' ')?.1.parse().ok()).collect();
    if exchanges.is_empty() {
        hosts.push(domain.clone());
    }
    let accepts = |host: &&DomainName| {
        let addresses = || [RecordType::A, RecordType::Aaaa].into_iter().flat_map(|kind| listed(host, kind));
        allowed(host) && addresses().next().is_some()
    };
    match hosts.iter().find(accepts) {
        Some(host) => Err(format!("{host} is allowed, and accepts mail")),
        None => Ok(()),
    }
}

/// How long a cache leads to the web server that the plan moves away from.
fn old_host(plan: &Plan, domain: &DomainName) -> i64 {
    let host = format!("mta-sts.{domain}");
    let changes =
        plan.steps.iter().flat_map(|step| &step.changes).filter(|change| change.name.as_str() == host);
    let ttl = changes.filter_map(|change| change.ttl_before).max();
    ttl.map_or(0, |ttl| i64::from(ttl) + i64::try_from(plan.parameters.resolver_stale).unwrap_or(0))
}

/// Whether the policy can have been fetched, and is not too old, when the message is judged.
fn in_time(
    plan: &Plan,
    found: &Counterexample,
    (published_by, replaced_by): (Option<&str>, Option<&str>),
    max_age: i64,
) -> Result<(), String> {
    let at = |what: &str, step: Option<&str>| -> Result<i64, String> {
        let happening = found.schedule.iter().find(|of| of.what == what && of.step.as_deref() == step);
        let mut instant = plan.parameters.start;
        let text = &happening.ok_or_else(|| format!("nothing {what}, {step:?}"))?.at;
        instant.clone_from(&text.parse().map_err(|_| format!("{text} is no instant"))?);
        Ok(instant.as_second())
    };
    let judged = at("judged", None)?;
    if published_by.is_some() && at("started", published_by)? > judged {
        return Err("it is not published yet".to_owned());
    }
    if let Some(step) = replaced_by {
        let external = plan.steps.iter().any(|of| of.id == step && of.kind == StepKind::External);
        let delay = if external { i64::try_from(plan.parameters.publication_delay).unwrap_or(0) } else { 0 };
        if judged - at("done", Some(step))? > max_age + delay {
            return Err("nobody holds it any more".to_owned());
        }
    }
    Ok(())
}
