//! P9: whatever is answered or returned finds somebody.

use super::{Judged, Receiver};
use crate::adjacent::{Unreachable, unreachable};
use crate::dns::Evidence;
use crate::prove::binding::Binding;

/// P9: the domain that a bounce goes to (MAIL FROM), or an answer (From), accepts mail.
///
/// Addresses of mail hosts are asked of `hosts`: those that the evidence does not tell are taken to be there.
pub(in crate::prove) fn reachable<E: Evidence, H: Evidence>(
    evidence: &E,
    hosts: &H,
    binding: &Binding<'_>,
    receivers: &[Receiver<'_>],
) -> Judged {
    let code =
        binding.answers_to().and_then(|domain| unreachable(evidence, hosts, domain)).map(|why| match why {
            Unreachable::NullMx => "p9.null-mx",
            Unreachable::NoMailHost => "p9.no-mail-host",
            Unreachable::NoSuchDomain => "p9.no-such-domain",
        });
    Judged::everywhere(code, receivers)
}
