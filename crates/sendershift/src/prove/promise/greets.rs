//! P9 for the name that mail greets with.

use super::{Judged, Receiver};
use crate::dns::{Evidence, RecordType, Resolved, resolve};
use crate::prove::binding::Binding;

/// P9: the name that the sources of an identity greet with is that of a host: it has an address (RFC 5321 sections 2.3.5 and 4.1.1.1). Common
/// receivers refuse what greets with another.
pub(in crate::prove) fn greets(
    evidence: &dyn Evidence,
    binding: &Binding<'_>,
    receivers: &[Receiver<'_>],
) -> Judged {
    let Some(helo) = &binding.delivered_by.helo else { return Judged::default() };
    let absent = |kind| matches!(resolve(evidence, helo, kind), Resolved::Absent { .. });
    let code = (absent(RecordType::A) && absent(RecordType::Aaaa)).then_some("p9.helo-without-address");
    Judged::everywhere(code, receivers)
}
