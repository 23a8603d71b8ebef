//! What follows from the answers that are listed: which names exist, and what cannot be true together.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Content, Node, Places, Snapshot};
use crate::dns::{Quality, RecordType};
use crate::error::Problem;
use crate::name::DomainName;

impl Snapshot {
    /// Lets the better of two answers win that cannot both be true, reports those that are equally good, and adds the
    /// ancestors of all names that exist. In a closed snapshot those are all that are listed, whatever came of the question.
    pub(super) fn complete(&mut self, places: &mut Places<'_>) {
        self.settle_existence(places);
        for (name, node) in &mut self.nodes {
            node.settle_alias(name, places);
            node.sets.sort_by_key(|(kind, _)| *kind);
        }
        let existing: Vec<DomainName> = self
            .nodes
            .iter()
            .filter(|(_, node)| node.proven().is_some() || self.closed && node.nxdomain.is_none())
            .map(|(name, _)| name.clone())
            .collect();
        for ancestor in existing.iter().flat_map(|name| name.ancestors().skip(1)) {
            self.nodes.entry(ancestor).or_default();
        }
    }

    /// A name that is said not to exist, with nothing below it (RFC 8020), against answers at or below it.
    fn settle_existence(&mut self, places: &mut Places<'_>) {
        // For each such name, the best answer that says otherwise.
        let mut against: BTreeMap<DomainName, (Quality, DomainName)> = BTreeMap::new();
        if self.nodes.values().all(|node| node.nxdomain.is_none()) {
            return;
        }
        let denied = |name: &DomainName| self.nodes.get(name).is_some_and(|node| node.nxdomain.is_some());
        for (name, node) in &self.nodes {
            let Some(quality) = node.proven() else { continue };
            for above in name.ancestors().filter(denied) {
                let best = against.entry(above).or_insert_with(|| (quality, name.clone()));
                if best.0 < quality {
                    *best = (quality, name.clone());
                }
            }
        }
        let mut gone: BTreeMap<DomainName, Quality> = BTreeMap::new();
        for (name, (quality, witness)) in against {
            let Some(node) = self.nodes.get_mut(&name) else { continue };
            let Some(denial) = node.nxdomain.as_ref().map(|stored| stored.quality) else { continue };
            match quality.cmp(&denial) {
                Ordering::Greater => node.nxdomain = None,
                Ordering::Less => {
                    gone.insert(name, denial);
                }
                Ordering::Equal => {
                    let message = if witness == name {
                        format!("{name} is said to exist and not to exist")
                    } else {
                        format!("{name} is said not to exist, but {witness} below it does")
                    };
                    let other = places.first(&witness).filter(|_| witness != name);
                    places.contradiction(&message, places.first(&name).unwrap_or_default(), other);
                }
            }
        }
        for (name, node) in self.nodes.iter_mut().filter(|_| !gone.is_empty()) {
            let denial = name.ancestors().filter_map(|above| gone.get(&above)).max();
            node.sets.retain(|(_, stored)| {
                matches!(stored.content, Content::Failed(_)) || Some(&stored.quality) >= denial
            });
        }
        self.nodes.retain(|_, node| node.nxdomain.is_some() || !node.sets.is_empty());
    }
}

impl Node {
    /// The best quality of an answer that shows that the name exists; a failure shows nothing.
    fn proven(&self) -> Option<Quality> {
        let shows = self.sets.iter().filter(|(_, stored)| !matches!(stored.content, Content::Failed(_)));
        shows.map(|(_, stored)| stored.quality).max()
    }

    /// An alias against other records at its name (RFC 1034 section 3.6.2).
    fn settle_alias(&mut self, name: &DomainName, places: &mut Places<'_>) {
        let is_records = |content: &Content| matches!(content, Content::Records(_));
        let alias = self.sets.iter().find(|(kind, _)| *kind == RecordType::Cname);
        let Some(alias) = alias.filter(|(_, stored)| is_records(&stored.content)).map(|(_, s)| s.quality)
        else {
            return;
        };
        let others = self.sets.iter().filter(|(kind, _)| !kind.may_stand_beside_alias());
        let others =
            others.filter(|(kind, stored)| *kind != RecordType::Cname && is_records(&stored.content));
        let best =
            others.max_by_key(|(_, stored)| stored.quality).map(|(kind, stored)| (*kind, stored.quality));
        match best {
            Some((_, quality)) if quality > alias => {
                self.sets.retain(|(kind, _)| *kind != RecordType::Cname);
                return;
            }
            Some((kind, quality)) if quality == alias => {
                let place = |kind| places.of.get(&(name.clone(), kind)).copied();
                let (one, two) = (place(RecordType::Cname), place(kind));
                let message = format!("{name} has a CNAME record and other records");
                let help = "a name with a CNAME record has no other records (RFC 1034 section 3.6.2)";
                let problem = Problem::new("snapshot.alias-with-data", message);
                places.problem(problem, one.max(two).unwrap_or_default(), one.min(two), help);
            }
            _ => {}
        }
        self.sets.retain(|(kind, stored)| {
            kind.may_stand_beside_alias()
                || stored.quality >= alias
                || matches!(stored.content, Content::Failed(_))
        });
    }
}
