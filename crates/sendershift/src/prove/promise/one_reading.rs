//! P8: identifiers align by public suffix list if and only if they do by tree walk.

use super::{Failure, Judged, Receiver};
use crate::dmarc::{self, DkimResult, DmarcResult, Message};
use crate::dns::Evidence;
use crate::prove::binding::Binding;
use crate::spf::{Profile, SpfResult};

/// What two generations of receivers read differently of a message.
#[derive(Debug, Default)]
pub(in crate::prove) struct Differing {
    /// The methods of which some domain aligns by one reading alone.
    pub(in crate::prove) methods: Vec<&'static str>,
    /// Whether the message passes by RFC 9989, and by RFC 7489.
    passes: [bool; 2],
}

impl Differing {
    /// Whether the message passed by a reading by which it does not any more, and still does by the other.
    fn has_lost_one(&self, before: &Self) -> bool {
        self.passes.contains(&true)
            && before.passes.iter().zip(&self.passes).any(|(before, now)| *before && !now)
    }
}

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
    let Some(old) = &checked.rfc7489 else { return Differing::default() };
    if checked.rfc9989.policy_record.is_none() || old.policy_record.is_none() {
        return Differing::default();
    }
    let aligned = |reading: &dmarc::Reading, method: &str| {
        let mut of_method = reading.identifiers.iter().filter(|identifier| identifier.method == method);
        of_method.any(|identifier| identifier.aligned == Some(true))
    };
    let mut methods = vec!["spf", "dkim"];
    methods.retain(|method| aligned(&checked.rfc9989, method) != aligned(old, method));
    let passes = [&checked.rfc9989, old].map(|reading| reading.result == DmarcResult::Pass);
    Differing { methods, passes }
}

/// P8: both readings agree, but for the methods for which they do not before the plan either; and by neither is a message lost as a whole
/// that passes before the plan.
pub(in crate::prove) fn one_reading(
    evidence: &dyn Evidence,
    binding: &Binding<'_>,
    receivers: &[Receiver<'_>],
    today: &Differing,
) -> Judged {
    let mut judged = Judged::default();
    for (index, profile) in receivers {
        let now = differing(evidence, binding, profile);
        if now.methods.iter().any(|method| !today.methods.contains(method)) || now.has_lost_one(today) {
            judged.failures.insert(*index, Failure::new("p8.alignment-differs"));
        }
    }
    judged
}
