//! Evidence: what DNS said, as data.
//!
//! Nothing here asks DNS. [`Evidence`] is the one seam: it answers a question from what is known, and says
//! [`Answer::Unknown`] where nothing is. Operations collect the unknown questions ([`Recording`]) and report
//! them as [`Missing`](crate::error::Missing).

mod message;
mod mnemonic;
mod overlay;
mod record;
mod recording;
mod resolve;
pub mod snapshot;
#[cfg(feature = "zone")]
pub mod zone;

pub use overlay::Overlay;
pub use record::{Mx, Quality, Question, RecordType, Records, RrSet, Soa, Txt};
pub use recording::Recording;
pub(crate) use resolve::authority;
pub use resolve::{MAX_ALIASES, Resolved, existence, negative_ttl, resolve};
pub use snapshot::Snapshot;

use crate::name::DomainName;
use crate::suffix::{PublicSuffix, public_suffix};

/// The largest TTL, in seconds (RFC 2181 section 8).
pub(crate) const MAX_TTL: u32 = 0x7FFF_FFFF;

/// What the evidence says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The records of the type asked for; never empty.
    Records(&'a RrSet),
    /// The name is an alias: an RRset with one CNAME record (RFC 1034 section 3.6.2).
    Alias(&'a RrSet),
    /// The name exists and has no records of the type.
    NoData,
    /// The name does not exist, nor anything below it (RFC 8020).
    NxDomain,
    /// The question was asked and got no answer: timeout, SERVFAIL or another error.
    Failed,
    /// The evidence does not say.
    Unknown,
}

/// Something that knows what DNS answers.
///
/// Answers do not change between calls, and aliases are not followed: [`resolve`] does that.
pub trait Evidence {
    /// The answer to the question for `record_type` at `name`.
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_>;

    /// Why the answer was assumed, where nobody gave it.
    fn assumed(&self, _name: &DomainName, _record_type: RecordType) -> Option<&str> {
        None
    }

    /// The wildcard by which a name is answered that does not exist itself (RFC 4592).
    fn wildcard(&self, _name: &DomainName) -> Option<DomainName> {
        None
    }

    /// The names that it knows to exist, as far as it can list them: there may be others.
    fn listed_names(&self) -> Vec<&DomainName> {
        Vec::new()
    }

    /// What the public suffix list says of a name: the list that was in use when the evidence was taken, as far as that
    /// tells it, and otherwise that of this build.
    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        public_suffix(name)
    }
}

impl<E: Evidence + ?Sized> Evidence for &E {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        (**self).answer(name, record_type)
    }

    fn assumed(&self, name: &DomainName, record_type: RecordType) -> Option<&str> {
        (**self).assumed(name, record_type)
    }

    fn wildcard(&self, name: &DomainName) -> Option<DomainName> {
        (**self).wildcard(name)
    }

    fn listed_names(&self) -> Vec<&DomainName> {
        (**self).listed_names()
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        (**self).public_suffix(name)
    }
}
