//! Which of the TXT records at a name is the SPF record.

use std::borrow::Cow;

use crate::dns::RrSet;
use crate::error::Invalid;
use crate::spf::SpfRecord;

/// The SPF record of an RRset (RFC 7208 section 4.5).
#[derive(Clone, Debug)]
pub(in crate::spf) enum Selection {
    /// No record begins as an SPF record does.
    None,
    /// More than one does.
    Several,
    /// One does, and does not keep to the grammar.
    Invalid(Invalid),
    /// One does.
    Record(SpfRecord),
}

/// Selects the SPF record; the work is done once for each RRset.
pub(in crate::spf) fn select(rrset: &RrSet) -> Cow<'_, Selection> {
    rrset.parsed(|rrset| {
        let mut candidates = rrset.texts().iter().filter(|text| SpfRecord::is_spf(text.octets()));
        match (candidates.next(), candidates.next()) {
            (None, _) => Selection::None,
            (Some(text), None) => match SpfRecord::parse(text.octets()) {
                Ok(record) => Selection::Record(record),
                Err(invalid) => Selection::Invalid(invalid),
            },
            (Some(_), Some(_)) => Selection::Several,
        }
    })
}
