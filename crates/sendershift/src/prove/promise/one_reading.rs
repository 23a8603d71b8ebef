//! P8: identifiers align by public suffix list if and only if they do by tree walk.

use super::{Judged, Receiver};
use crate::dmarc::{self, DkimResult, Message};
use crate::dns::Evidence;
use crate::prove::binding::Binding;
use crate::spf::SpfResult;

/// P8: receivers that find organizational domains by tree walk (RFC 9989 section 4.10) and those that still use the public
/// suffix list (RFC 7489 section 3.2) agree on whether SPF and whether DKIM align, if they pass.
///
/// Nothing is judged without the list (feature `psl`), nor where one of them finds no policy record: P1 is about that.
pub(in crate::prove) fn one_reading<E: Evidence>(
    evidence: &E,
    binding: &Binding<'_>,
    receivers: &[Receiver<'_>],
) -> Judged {
    let mut message = Message::new(binding.identity.author_domain.clone());
    if let Some(domain) = binding.spf_domain() {
        message = message.with_spf(domain.clone(), SpfResult::Pass);
    }
    for signature in binding.signatures() {
        message = message.with_dkim(signature.domain.clone(), DkimResult::Pass);
    }
    let checked = dmarc::check(evidence, message);
    let aligned = |reading: &dmarc::Reading, method: &str| {
        let mut of_method = reading.identifiers.iter().filter(|identifier| identifier.method == method);
        of_method.any(|identifier| identifier.aligned == Some(true))
    };
    let differ = checked.rfc7489.as_ref().is_some_and(|old| {
        let both = checked.rfc9989.policy_record.is_some() && old.policy_record.is_some();
        both && ["spf", "dkim"].iter().any(|method| aligned(&checked.rfc9989, method) != aligned(old, method))
    });
    Judged::everywhere(differ.then_some("p8.alignment-differs"), receivers)
}
