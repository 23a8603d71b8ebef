//! A snapshot as a document.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::{Content, FORMAT, Snapshot, Stored};
use crate::dns::{Quality, RecordType};
use crate::name::DomainName;

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Answers<'a>(&'a Snapshot);
        impl Serialize for Answers<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_seq(None)?;
                for (name, node) in &self.0.nodes {
                    if let Some(stored) = &node.nxdomain {
                        list.serialize_element(&Written { name, record_type: RecordType::Txt, stored })?;
                    }
                    for (record_type, stored) in &node.sets {
                        list.serialize_element(&Written { name, record_type: *record_type, stored })?;
                    }
                }
                list.end()
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format", FORMAT)?;
        if let Some(taken) = self.taken {
            map.serialize_entry("taken", &taken.to_string())?;
        }
        map.serialize_entry("closed", &self.closed)?;
        if !self.zones.is_empty() {
            map.serialize_entry("zones", &self.zones)?;
        }
        if !self.public_suffixes.is_empty() {
            map.serialize_entry("public_suffixes", &self.public_suffixes)?;
        }
        map.serialize_entry("answers", &Answers(self))?;
        map.end()
    }
}

struct Written<'a> {
    name: &'a DomainName,
    record_type: RecordType,
    stored: &'a Stored,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Stored { content, ttl, quality, note } = self.stored;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.name)?;
        map.serialize_entry("type", &self.record_type)?;
        match content {
            Content::Records(_) => {}
            Content::NoData => map.serialize_entry("records", &[(); 0])?,
            Content::NxDomain => map.serialize_entry("status", "nxdomain")?,
            Content::Failed(status) => map.serialize_entry("status", status)?,
        }
        if let Some(ttl) = ttl {
            map.serialize_entry("ttl", ttl)?;
        }
        if *quality == Quality::Authoritative {
            map.serialize_entry("authoritative", &true)?;
        }
        if let Content::Records(rrset) = content {
            map.serialize_entry("records", rrset.records())?;
        }
        if let Some(server) = &note.server {
            map.serialize_entry("server", server)?;
        }
        if let Some(at) = note.at {
            map.serialize_entry("at", &at.to_string())?;
        }
        if let Some(assumed) = &note.assumed {
            map.serialize_entry("assumed", assumed)?;
        }
        map.end()
    }
}
