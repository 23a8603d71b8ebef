//! What zones say of names that are not listed: RFC 1034 section 4.3.2, RFC 4592.

use super::{Node, Snapshot};
use crate::dns::{Answer, RecordType};
use crate::name::DomainName;

/// How far what is listed is all that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// The name is in this zone: what is not listed does not exist, and wildcards answer.
    Zone(DomainName),
    /// The snapshot is closed: what is not listed does not exist.
    Closed,
    /// What is not listed is unknown.
    Open,
}

impl Snapshot {
    /// Which part of the snapshot answers a question that is not listed.
    pub(super) fn extent(&self, name: &DomainName, record_type: RecordType) -> Extent {
        // DS stands in the zone above the cut (RFC 4035 section 2.4).
        let is_above = |at: &str| record_type == RecordType::DS && at == name.as_str();
        let mut cut = false;
        for ancestor in name.ancestor_texts() {
            let node = self.nodes.get(ancestor);
            if ancestor != name.as_str() && node.is_some_and(|node| node.has(RecordType::DNAME)) {
                // Names below are aliases (RFC 6672 section 2.2), which are not followed. It may stand at an apex, too.
                return Extent::Open;
            }
            if let Some(zone) = self.zones.get(ancestor).filter(|_| !is_above(ancestor)) {
                if !cut {
                    return Extent::Zone(zone.clone());
                }
                break;
            }
            cut |= node.is_some_and(|node| node.has(RecordType::Ns)) && !is_above(ancestor);
        }
        if self.closed { Extent::Closed } else { Extent::Open }
    }

    /// The answer for a name that is not in the snapshot.
    pub(super) fn unlisted(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        if self.encloser(name).is_some_and(|(_, node)| node.nxdomain.is_some()) {
            return Answer::NxDomain;
        }
        match self.extent(name, record_type) {
            Extent::Open => Answer::Unknown,
            // That the name is not listed says nothing of what a wildcard makes of it.
            Extent::Closed if self.wildcard_above(name).is_some() => Answer::Unknown,
            Extent::Closed => Answer::NxDomain,
            Extent::Zone(_) => match self.source_of_synthesis(name, record_type) {
                None => Answer::NxDomain,
                // What that would mean is left open (RFC 4592 sections 4.2 and 4.4).
                Some((_, node)) if node.has(RecordType::Ns) || node.has(RecordType::DNAME) => Answer::Unknown,
                Some((_, node)) => node.answer(record_type).unwrap_or(Answer::NoData),
            },
        }
    }

    /// The nearest ancestor of which something is known.
    fn encloser(&self, name: &DomainName) -> Option<(&DomainName, &Node)> {
        name.ancestor_texts().skip(1).find_map(|ancestor| self.nodes.get_key_value(ancestor))
    }

    /// The wildcard that answers for a name that does not exist: the one right below its closest encloser, and no other
    /// (RFC 4592 section 3.3.1).
    pub(super) fn source_of_synthesis(
        &self,
        name: &DomainName,
        record_type: RecordType,
    ) -> Option<(DomainName, &Node)> {
        if !matches!(self.extent(name, record_type), Extent::Zone(_)) {
            return None;
        }
        self.wildcard_above(name)
    }

    /// The wildcard right below the closest encloser of a name.
    fn wildcard_above(&self, name: &DomainName) -> Option<(DomainName, &Node)> {
        let wildcard = self.encloser(name)?.0.prefixed("*").ok()?;
        let node = self.nodes.get(&wildcard).filter(|node| node.nxdomain.is_none())?;
        Some((wildcard, node))
    }
}
