//! The hosts that `a` and `mx` name.

use super::Layer;
use crate::dns::{Evidence, RecordType, Records, Resolved, resolve};
use crate::name::DomainName;
use crate::net::{AddressSet, Family, IpRange};
use crate::spf::policy::marks::Marked;
use crate::spf::policy::{Leaf, Spent};
use crate::spf::{DualCidr, SpfResult};

/// The hosts of an `a` or `mx` term, asked one after the other, in both families at once.
pub(super) struct Hosts {
    result: SpfResult,
    families: [HostsOf; 2],
}

/// The part of one family.
struct HostsOf {
    family: Family,
    /// Whether an address of this family gets here at all.
    reached: bool,
    void_queries: u32,
    most_addresses: u32,
    hits: Vec<(IpRange, Leaf)>,
    /// Set when a query failed: everything that has not matched by then is temperror.
    failed: Option<Leaf>,
}

impl Hosts {
    pub(super) fn new(result: SpfResult, left: &AddressSet) -> Self {
        let of = |family| HostsOf {
            family,
            reached: !left.of_family(family).is_empty(),
            void_queries: 0,
            most_addresses: 0,
            hits: Vec::new(),
            failed: None,
        };
        Self { result, families: [of(Family::V4), of(Family::V6)] }
    }

    pub(super) fn add(&mut self, evidence: &dyn Evidence, host: &DomainName, cidr: DualCidr) {
        for part in &mut self.families {
            if !part.reached || part.failed.is_some() {
                continue;
            }
            let record_type = if part.family == Family::V4 { RecordType::A } else { RecordType::Aaaa };
            match resolve(evidence, host, record_type) {
                Resolved::Records(rrset) => {
                    let ranges: Vec<IpRange> = match rrset.records() {
                        Records::A(addresses) => addresses
                            .iter()
                            .filter_map(|address| ipnet::Ipv4Net::new(*address, cidr.v4_or_default()).ok())
                            .map(|net| ipnet::IpNet::from(net).into())
                            .collect(),
                        Records::Aaaa(addresses) => addresses
                            .iter()
                            .filter_map(|address| ipnet::Ipv6Net::new(*address, cidr.v6_or_default()).ok())
                            .map(|net| ipnet::IpNet::from(net).into())
                            .collect(),
                        _ => Vec::new(),
                    };
                    part.most_addresses =
                        part.most_addresses.max(u32::try_from(ranges.len()).unwrap_or(u32::MAX));
                    let leaf = part.leaf(self.result);
                    part.hits.extend(ranges.into_iter().map(|range| (range, leaf)));
                }
                Resolved::Absent { .. } => part.void_queries += 1,
                Resolved::Failed => part.failed = Some(part.leaf(SpfResult::TempError)),
                Resolved::Unknown => {}
            }
        }
    }

    /// The layer, for an `mx` term with that many hosts (none for `a`).
    pub(super) fn layer<M: Copy>(self, mx_names: u32, mark: M) -> Layer<M> {
        let is_mx = mx_names > 0;
        let finish = |leaf: Leaf| {
            let mx_addresses = if is_mx { leaf.spent.mx_addresses } else { 0 };
            Leaf { spent: Spent { mx_names, mx_addresses, ..leaf.spent }, ..leaf }
        };
        let miss = self.families.each_ref().map(|part| finish(part.leaf(SpfResult::None)).spent);
        let hits = self.families.into_iter().flat_map(|HostsOf { family, hits, failed, .. }| {
            hits.into_iter().chain(failed.map(|leaf| (IpRange::all(family), leaf)))
        });
        let hits = hits.map(|(range, leaf)| (range, Marked { leaf: finish(leaf), mark })).collect();
        Layer::Decided { hits, miss }
    }
}

impl HostsOf {
    /// A result here, with what was spent so far.
    fn leaf(&self, result: SpfResult) -> Leaf {
        let voids = Spent::voids(self.void_queries);
        Leaf { result, spent: Spent { mx_addresses: self.most_addresses, ..Spent::LOOKUP.then(voids) } }
    }
}
