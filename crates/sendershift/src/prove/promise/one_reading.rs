//! P8: identifiers align by public suffix list if and only if they do by tree walk.

use super::{Failure, Judged, Receiver};
use crate::dmarc::{self, DkimResult, Message};
use crate::dns::Evidence;
use crate::prove::binding::Binding;
use crate::spf::{Profile, SpfResult};

/// The methods of which some domain aligns by one reading alone.
pub(in crate::prove) type Differing = Vec<&'static str>;

/// The methods for which receivers that find organizational domains by tree walk (RFC 9989 section 4.10) and those that still
/// use the public suffix list (RFC 7489 section 3.2) disagree: on whether SPF aligns if it passes, and on whether one of the signatures
/// that can be verified does.
///
/// Nothing is told without the list (feature `psl`), nor where one of them finds no policy record: P1 is about that.
pub(in crate::prove) fn differing(
    evidence: &dyn Evidence,
    binding: &Binding<'_>,
    profile: &Profile,
) -> Differing {
    let mut message = Message::new(binding.identity.author_domain.clone());
    if let Some(domain) = binding.spf_domain() {
        message = message.with_spf(domain.clone(), SpfResult::Pass);
    }
    for signature in binding.verifiable(evidence, profile) {
        message = message.with_dkim(signature.domain.clone(), DkimResult::Pass);
    }
    let checked = dmarc::check(evidence, message);
    let Some(old) = &checked.rfc7489 else { return Vec::new() };
    if checked.rfc9989.policy_record.is_none() || old.policy_record.is_none() {
        return Vec::new();
    }
    let aligned = |reading: &dmarc::Reading, method: &str| {
        let mut of_method = reading.identifiers.iter().filter(|identifier| identifier.method == method);
        of_method.any(|identifier| identifier.aligned == Some(true))
    };
    let mut methods = vec!["spf", "dkim"];
    methods.retain(|method| aligned(&checked.rfc9989, method) != aligned(old, method));
    methods
}

/// P8: both readings agree, but for the methods for which they do not before the plan either.
pub(in crate::prove) fn one_reading(
    evidence: &dyn Evidence,
    binding: &Binding<'_>,
    receivers: &[Receiver<'_>],
    today: &Differing,
) -> Judged {
    let mut judged = Judged::default();
    for (index, profile) in receivers {
        if differing(evidence, binding, profile).iter().any(|method| !today.contains(method)) {
            judged.failures.insert(*index, Failure::new("p8.alignment-differs"));
        }
    }
    judged
}
