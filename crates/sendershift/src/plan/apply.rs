//! The edit of one RRset.

use std::collections::BTreeSet;
use std::slice;

use super::{Change, Expect};
use crate::dns::{Quality, RecordType, Records, RrSet, Txt};

/// Why a change does not fit what is there. The codes are those of [`ApplyError::code`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// Records were expected that are not there.
    #[error("expected but not there: {}", .0.join(", "))]
    ExpectedPresent(Vec<String>),
    /// Nothing was expected to be there.
    #[error("nothing was expected to be there, but there is {}", .0.join(", "))]
    ExpectedAbsent(Vec<String>),
    /// Records are to be removed that are not there.
    #[error("to be removed, but not there: {}", .0.join(", "))]
    NotThere(Vec<String>),
    /// The change removes the RRset, but records would remain.
    #[error("the RRset is to be removed, but these records would remain: {}", .0.join(", "))]
    RecordsRemain(Vec<String>),
    /// The change leaves no record, but has a TTL for the RRset.
    #[error("no record would be there to carry the new TTL")]
    NothingRemains,
    /// There would be this many records of a type that a name has at most one of (RFC 2181 section 10.1).
    #[error("there would be {0} records of a type that a name has at most one of")]
    SeveralRecords(usize),
    /// Some of the records are not of the type that the change names.
    #[error("the records are not of the type {0}")]
    WrongType(RecordType),
}

impl ApplyError {
    /// The stable name of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ExpectedPresent(_) | Self::ExpectedAbsent(_) => "plan.expectation-fails",
            Self::NotThere(_) => "plan.not-there",
            Self::RecordsRemain(_) => "plan.records-remain",
            Self::NothingRemains => "plan.nothing-remains",
            Self::SeveralRecords(_) => "plan.several-records",
            Self::WrongType(_) => "plan.wrong-type",
        }
    }
}

impl Change {
    /// The RRset after the change, where `before` is the RRset that is there; `None` is no RRset.
    ///
    /// What the change does not name stays as it is. A record that is to be added and is there already is not added again. TXT
    /// records are compared by their joined octets; two with the same octets and other strings are two records. The result has the TTL of the change and counts as
    /// authoritative: whoever publishes it knows its TTL. `ttl_before` is not looked at.
    ///
    /// # Errors
    ///
    /// `plan.expectation-fails`, `plan.not-there`, `plan.records-remain`, `plan.nothing-remains`,
    /// `plan.several-records` or `plan.wrong-type`: then nothing must be published.
    ///
    /// # Examples
    ///
    /// A string that the change does not know of survives:
    ///
    /// ```
    /// use sendershift::dns::{Quality, Records, RrSet, Txt};
    /// use sendershift::plan::Plan;
    /// # let text = include_str!("../../../../tests/plans/safe-split.json");
    ///
    /// let plan = Plan::from_json(text)?;
    /// let step = plan.steps.iter().find(|step| step.id == "shrink-example-com").unwrap();
    /// let texts = ["v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/26 -all", "added-since"].map(Txt::from_text);
    /// let texts = texts.into_iter().map(Result::unwrap).collect();
    /// let before = RrSet::new(Records::Txt(texts), Some(3600), Quality::Authoritative);
    /// let after = step.changes[0].apply(Some(&before))?.unwrap();
    /// assert_eq!(after.records().to_texts(), ["added-since", "v=spf1 ip4:192.0.2.0/24 -all"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&self, before: Option<&RrSet>) -> Result<Option<RrSet>, ApplyError> {
        let before = before.map(RrSet::records);
        let (remove, add) = (self.remove.as_ref(), self.add.as_ref());
        let expected = match &self.expect {
            Some(Expect::Present(records)) => Some(records),
            _ => None,
        };
        if [before, remove, add, expected].into_iter().flatten().any(|r| r.record_type() != self.record_type)
        {
            return Err(ApplyError::WrongType(self.record_type));
        }
        if let (Some(Expect::Absent), Some(there)) = (&self.expect, before) {
            return Err(ApplyError::ExpectedAbsent(there.to_texts()));
        }
        if let Some(lacking) = lacking(expected, before) {
            return Err(ApplyError::ExpectedPresent(lacking));
        }
        if let Some(lacking) = lacking(remove, before) {
            return Err(ApplyError::NotThere(lacking));
        }
        match (edited(self.record_type, [before, remove, add])?, self.ttl_after) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(ApplyError::NothingRemains),
            (Some(records), None) => Err(ApplyError::RecordsRemain(records.to_texts())),
            (Some(records), ttl) => Ok(Some(RrSet::new(records, ttl, Quality::Authoritative))),
        }
    }
}

/// The records that are wanted and not there, if any.
fn lacking(wanted: Option<&Records>, there: Option<&Records>) -> Option<Vec<String>> {
    let there: BTreeSet<String> = there.map(Records::to_texts).into_iter().flatten().collect();
    let mut lacking = wanted.map(Records::to_texts).unwrap_or_default();
    lacking.retain(|text| !there.contains(text));
    (!lacking.is_empty()).then_some(lacking)
}

/// Before, remove and add, all of one type.
type Parts<'r> = [Option<&'r Records>; 3];

/// The records after the edit; none where none remain.
pub(crate) fn edited(record_type: RecordType, parts: Parts<'_>) -> Result<Option<Records>, ApplyError> {
    macro_rules! edit {
        ($pattern:pat => $list:expr) => {
            edit!($pattern => $list, |record| record)
        };
        ($pattern:pat => $list:expr, $key:expr) => {
            edit(parts, |records| if let $pattern = records { $list } else { &[] }, $key)
        };
    }
    let records = match record_type {
        RecordType::A => Records::A(edit!(Records::A(list) => list.as_slice())),
        RecordType::Aaaa => Records::Aaaa(edit!(Records::Aaaa(list) => list.as_slice())),
        RecordType::Cname => {
            return Ok(only(edit!(Records::Cname(name) => slice::from_ref(name)))?.map(Records::Cname));
        }
        RecordType::Mx => {
            let mut hosts = edit!(Records::Mx(list) => list.as_slice());
            hosts.sort();
            Records::Mx(hosts)
        }
        RecordType::Ns => Records::Ns(edit!(Records::Ns(list) => list.as_slice())),
        RecordType::Ptr => Records::Ptr(edit!(Records::Ptr(list) => list.as_slice())),
        RecordType::Soa => {
            return Ok(only(edit!(Records::Soa(soa) => slice::from_ref(soa)))?.map(Records::Soa));
        }
        RecordType::Txt => Records::Txt(edit!(Records::Txt(list) => list.as_slice(), Txt::octets)),
        RecordType::Other(number) => {
            Records::Other(number, edit!(Records::Other(_, list) => list.as_slice()))
        }
    };
    Ok((!records.to_texts().is_empty()).then_some(records))
}

/// Takes out and puts in. A record of the same key as one that is there is not put in; two that are there stay two, as those who ask
/// get both.
fn edit<'r, T: Clone + 'r, K: Ord>(
    parts: Parts<'r>,
    list: impl Fn(&'r Records) -> &'r [T],
    key: impl Fn(&'r T) -> K,
) -> Vec<T> {
    let [before, remove, add] = parts.map(|records| records.map_or(&[][..], &list));
    let removed: BTreeSet<K> = remove.iter().map(&key).collect();
    let stays: Vec<&T> = before.iter().filter(|record| !removed.contains(&key(record))).collect();
    let there: BTreeSet<K> = stays.iter().map(|record| key(record)).collect();
    stays.into_iter().chain(add.iter().filter(|record| !there.contains(&key(record)))).cloned().collect()
}

fn only<T>(mut records: Vec<T>) -> Result<Option<T>, ApplyError> {
    match records.len() {
        0 | 1 => Ok(records.pop()),
        several => Err(ApplyError::SeveralRecords(several)),
    }
}
