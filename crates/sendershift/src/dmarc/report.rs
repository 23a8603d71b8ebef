//! Whether reports may go to another organization (RFC 9990, "Verifying External Destinations").

use serde::Serialize;

use super::walk::Walker;
use super::{Alignment, DmarcRecord};
use crate::dns::{Evidence, RecordType, Resolved, resolve};
use crate::error::Problem;
use crate::name::DomainName;

/// Whether a host takes the reports about a policy domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Authorised {
    /// Both belong to one organization: nothing is needed.
    SameOrganization,
    /// The host says so.
    Granted {
        /// Where its record is.
        name: DomainName,
    },
    /// The host does not say so: receivers send it no reports.
    Missing {
        /// Where a record with `v=DMARC1` is needed.
        name: DomainName,
    },
    /// A query failed.
    Failed,
    /// The name for the record would be too long, so the host cannot say so.
    TooLong,
}

impl Authorised {
    /// Where a host says that it takes reports about a domain; an error where that name is too long.
    pub(crate) fn place(policy_domain: &DomainName, host: &DomainName) -> Result<DomainName, Problem> {
        host.prefixed(&format!("{policy_domain}._report._dmarc"))
    }
}

/// Whether receivers send reports about `policy_domain` to `host`, the domain of a URI in its `rua` or `ruf`.
///
/// # Examples
///
/// ```
/// use sendershift::dmarc::{Authorised, report_authorisation};
/// use sendershift::dns::Snapshot;
///
/// let snapshot = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [
///         { "name": "example.net._report._dmarc.example.com", "type": "TXT", "records": ["v=DMARC1"] }
///     ]
/// }"#)?;
/// let status = |host: &str| report_authorisation(&snapshot, &"example.net".parse().unwrap(), &host.parse().unwrap());
/// assert!(matches!(status("example.com"), Authorised::Granted { .. }));
/// assert!(matches!(status("example.org"), Authorised::Missing { .. }));
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
pub fn report_authorisation(
    evidence: &dyn Evidence,
    policy_domain: &DomainName,
    host: &DomainName,
) -> Authorised {
    let same = Walker::new(evidence).aligned(policy_domain, host, Alignment::Relaxed);
    authorisation(evidence, policy_domain, host, same)
}

/// The same where it is known whether both are one organization.
pub(super) fn authorisation(
    evidence: &dyn Evidence,
    policy_domain: &DomainName,
    host: &DomainName,
    same: Option<bool>,
) -> Authorised {
    match same {
        Some(true) => return Authorised::SameOrganization,
        Some(false) => {}
        None => return Authorised::Failed,
    }
    let Ok(name) = Authorised::place(policy_domain, host) else { return Authorised::TooLong };
    match resolve(evidence, &name, RecordType::Txt) {
        // One record that begins as it must is enough, however many there are.
        Resolved::Records(rrset) if rrset.texts().iter().any(|text| DmarcRecord::is_dmarc(text.octets())) => {
            Authorised::Granted { name }
        }
        Resolved::Failed => Authorised::Failed,
        Resolved::Records(_) | Resolved::Absent { .. } | Resolved::Unknown => Authorised::Missing { name },
    }
}
