//! What the codes of a check mean, for people.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::check::CheckProblem;
use super::cost::CostProblem;

impl CheckProblem {
    /// What the code means, in lower case and without a final stop.
    pub fn reason(&self) -> &'static str {
        reason(self.code)
    }
}

impl CostProblem {
    /// What the code means, in lower case and without a final stop.
    pub fn reason(&self) -> &'static str {
        reason(self.code)
    }
}

impl Serialize for CostProblem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("CostProblem", 2)?;
        document.serialize_field("code", self.code)?;
        document.serialize_field("message", self.reason())?;
        document.end()
    }
}

fn reason(code: &str) -> &'static str {
    match code {
        "spf.bad-redirect-domain" => "the redirect leads to a name that cannot exist",
        "spf.dns-failure" => "DNS did not answer",
        "spf.include-of-none" => "the included domain has no SPF record",
        "spf.loop" => "the record is being evaluated already: it refers to itself",
        "spf.no-domain" => "the sender has no domain that could have a record",
        "spf.no-record" => "the domain has no SPF record",
        "spf.redirect-to-none" => "the domain that the redirect leads to has no SPF record",
        "spf.several-records" => "the domain has more than one SPF record",
        "spf.too-deep" => "the records are nested too deep",
        "spf.too-many-lookups" => "this is one DNS lookup more than the limit",
        "spf.too-many-mx" => "the name has more mail exchanges than the limit",
        "spf.too-many-mx-addresses" => "a mail exchange has more addresses than the limit",
        "spf.too-many-voids" => "this is one void lookup more than the limit",
        _ => "the record is not well-formed",
    }
}
