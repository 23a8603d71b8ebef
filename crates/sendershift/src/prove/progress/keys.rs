//! Keys that others exchanged. Whoever signs holds the private half of the key that the plan was made with: by another key nothing of it is
//! verified (RFC 6376 section 6.1.3), however good that one is. What a proof says of a signature only asks whether there is a key.

use std::collections::BTreeSet;

use super::super::duration;
use super::authentication::Side;
use crate::dkim::{self, KeyState};
use crate::dmarc::{self, Alignment};
use crate::dns::Evidence;
use crate::name::DomainName;
use crate::plan::{Remark, Signature};
use crate::prove::binding::{key_data, spans};
use crate::prove::world::Era;

/// The signatures of declared mail for which there is another key than the plan's own evidence and steps have, at any time at which there is one by both.
/// That another signature may pass is no excuse: by the model this one does, too.
pub(super) fn exchanged(then: &Side<'_>, now: &Side<'_>) -> Vec<Remark> {
    let parameters = &then.plan.parameters;
    let lifetime = parameters.signature_lifetime.max(parameters.queue_lifetime);
    let lifetime = duration(i64::try_from(lifetime).unwrap_or(i64::MAX));
    let mut remarks = Vec::new();
    for stream in &then.plan.streams {
        for (identity, _) in spans(then.plan, &then.flux, stream) {
            for signature in &identity.dkim {
                let author = &identity.author_domain;
                if !(may_align(then, author, signature) || may_align(now, author, signature))
                    || !is_exchanged(then, now, signature)
                {
                    continue;
                }
                let message = format!(
                    "messages of `{}`: others have exchanged the key of selector {} of {}. Signatures that are made with the old one fail (RFC 6376 section 6.1.3), for {lifetime} also those made before. Publish the old key again; or, if the signer has the new one, wait that long, and judge a plan with today's evidence",
                    identity.id,
                    signature.selector.as_str(),
                    signature.domain
                );
                let remark = Remark::new("proof.key-exchanged", Some(&stream.id), message);
                if !remarks.contains(&remark) {
                    remarks.push(remark);
                }
            }
        }
    }
    remarks
}

/// Whether a signature is one that DMARC can count, before the plan or once all is done.
fn may_align(side: &Side<'_>, author: &DomainName, signature: &Signature) -> bool {
    let aligned = |era: &Era<'_>| dmarc::aligned(era, author, &signature.domain, Alignment::Relaxed);
    aligned(&side.flux.era(side.plan, 0)) || aligned(&side.flux.last_era(side.plan))
}

fn is_exchanged(then: &Side<'_>, now: &Side<'_>, signature: &Signature) -> bool {
    // By either of both another key may be read from some step on.
    let mut eras = BTreeSet::new();
    for side in [then, now] {
        side.flux.each_era(side.plan, |era| {
            key(era, signature);
            eras.insert(era.done());
        });
    }
    eras.into_iter().any(|done| {
        let [was, is] = [then, now].map(|side| key(&side.flux.era(side.plan, done), signature));
        was.zip(is).is_some_and(|(was, is)| was != is)
    })
}

fn key(evidence: &dyn Evidence, signature: &Signature) -> Option<String> {
    match dkim::key(evidence, &signature.domain, &signature.selector) {
        KeyState::Usable(record) => Some(key_data(&record)),
        _ => None,
    }
}
