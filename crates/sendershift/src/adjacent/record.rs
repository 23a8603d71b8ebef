//! The DNS records of MTA-STS and TLS reports, and the null MX.

use crate::dns::{Mx, Records, RrSet};
use crate::error::{Invalid, Problem, Span};
use crate::tag_list::{self, Part};

/// Whether a domain takes no mail: one MX record with the root as host (RFC 7505 section 3).
pub fn is_null_mx(rrset: &RrSet) -> bool {
    matches!(rrset.records(), Records::Mx(hosts) if matches!(hosts.as_slice(), [Mx { exchange, .. }] if exchange.is_root()))
}

/// The record at `_mta-sts` (RFC 8461 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MtaSts {
    /// Names the version of the policy: senders fetch it anew when this changes.
    pub id: String,
}

impl MtaSts {
    /// Whether octets begin as such a record must; others at the name do not matter.
    pub fn is_mta_sts(octets: &[u8]) -> bool {
        has_version(octets, "STSv1")
    }

    /// Reads a record: the joined octets of one TXT record.
    ///
    /// # Errors
    ///
    /// `mta-sts.bad-version`, `mta-sts.bad-id` or `mta-sts.no-id`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::adjacent::MtaSts;
    ///
    /// assert_eq!(MtaSts::parse(b"v=STSv1; id=20261124T0000Z;")?.id, "20261124T0000Z");
    /// # Ok::<(), sendershift::error::Invalid>(())
    /// ```
    pub fn parse(octets: &[u8]) -> Result<Self, Invalid> {
        let text = String::from_utf8_lossy(octets);
        if !Self::is_mta_sts(octets) {
            return Err(bad_version("mta-sts.bad-version", "v=STSv1", &text));
        }
        let whole = Span::new(0, text.len());
        let Some(Part { value: Some(id), span, .. }) = tag_list::parts(&text).find(|part| part.name == "id")
        else {
            let problem = Problem::new("mta-sts.no-id", "there is no `id`").at(whole);
            return Err(Invalid::one(
                problem.help("add `id=` and letters and digits, new ones with every new policy"),
            ));
        };
        if !(1..=32).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let problem = Problem::new("mta-sts.bad-id", format!("`{id}` is not 1 to 32 letters and digits"));
            return Err(Invalid::one(problem.at(span)));
        }
        Ok(Self { id: id.to_owned() })
    }
}

/// The record at `_smtp._tls` (RFC 8460 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsRpt {
    /// Where reports go: `mailto:` and `https:` URIs.
    pub rua: Vec<String>,
}

impl TlsRpt {
    /// Whether octets begin as such a record must; others at the name do not matter.
    pub fn is_tls_rpt(octets: &[u8]) -> bool {
        has_version(octets, "TLSRPTv1")
    }

    /// Reads a record: the joined octets of one TXT record.
    ///
    /// # Errors
    ///
    /// `tls-rpt.bad-version`, `tls-rpt.no-rua`, and `tls-rpt.bad-uri` for each URI that is neither `mailto:` nor `https:`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::adjacent::TlsRpt;
    ///
    /// assert_eq!(TlsRpt::parse(b"v=TLSRPTv1; rua=mailto:t@example.net")?.rua, ["mailto:t@example.net"]);
    /// # Ok::<(), sendershift::error::Invalid>(())
    /// ```
    pub fn parse(octets: &[u8]) -> Result<Self, Invalid> {
        let text = String::from_utf8_lossy(octets);
        if !Self::is_tls_rpt(octets) {
            return Err(bad_version("tls-rpt.bad-version", "v=TLSRPTv1", &text));
        }
        let whole = Span::new(0, text.len());
        let Some(Part { value: Some(value), span, .. }) =
            tag_list::parts(&text).find(|part| part.name == "rua")
        else {
            let problem = Problem::new("tls-rpt.no-rua", "there is no `rua`").at(whole);
            return Err(Invalid::one(problem.help("add `rua=mailto:` and an address, or an `https:` URI")));
        };
        let uris: Vec<&str> = value.split(',').map(|uri| uri.trim_matches(tag_list::is_space)).collect();
        let problems = uris.iter().filter(|uri| !is_destination(uri)).map(|uri| {
            Problem::new("tls-rpt.bad-uri", format!("`{uri}` is neither a `mailto:` nor an `https:` URI"))
                .at(span)
        });
        Invalid::unless(
            problems.collect(),
            &text,
            Self { rua: uris.iter().map(ToString::to_string).collect() },
        )
    }
}

/// Whether octets begin as a record that names a logo (BIMI).
pub(crate) fn is_bimi(octets: &[u8]) -> bool {
    has_version(octets, "BIMI1")
}

fn is_destination(uri: &str) -> bool {
    let is_clean = uri.bytes().all(|b| b.is_ascii_graphic() && b != b'!');
    let named = |scheme: &str| {
        let (head, rest) = uri.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let is_mail = named("mailto:").is_some_and(|address| {
        address.rsplit_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
    });
    is_clean && (is_mail || named("https://").is_some_and(|rest| !rest.is_empty()))
}

/// Whether octets begin with a version, in exactly this spelling, and a semicolon or the end after it.
fn has_version(octets: &[u8], version: &str) -> bool {
    let rest = octets.strip_prefix(b"v=").and_then(|rest| rest.strip_prefix(version.as_bytes()));
    rest.is_some_and(|rest| matches!(rest.trim_ascii_start(), [] | [b';', ..]))
}

fn bad_version(code: &'static str, version: &str, text: &str) -> Invalid {
    let problem = Problem::new(code, format!("the text does not begin with `{version}`"));
    Invalid::one(problem.at(0..text.len().min(version.len())))
}

#[cfg(test)]
mod tests {
    use super::{MtaSts, TlsRpt};

    /// RFC 8461 section 3.1.
    #[test]
    fn mta_sts() {
        for (text, expected) in [
            ("v=STSv1; id=20160831085700Z;", Ok("20160831085700Z")),
            ("v=STSv1;id=1; x=y", Ok("1")),
            ("v=STSv1; id=", Err("mta-sts.bad-id")),
            ("v=STSv1; id=2016-08", Err("mta-sts.bad-id")),
            ("v=STSv1; id=123456789012345678901234567890123", Err("mta-sts.bad-id")),
            ("v=STSv1", Err("mta-sts.no-id")),
            ("v=STSv1; ID=1", Err("mta-sts.no-id")),
            ("v=stsv1; id=1", Err("mta-sts.bad-version")),
            ("v=STSv10; id=1", Err("mta-sts.bad-version")),
            ("", Err("mta-sts.bad-version")),
        ] {
            let found = MtaSts::parse(text.as_bytes()).map(|record| record.id);
            assert_eq!(found.as_deref().map_err(|invalid| invalid.problems[0].code), expected, "{text}");
        }
    }

    /// RFC 8460 section 3.
    #[test]
    fn tls_rpt() {
        for (text, expected) in [
            ("v=TLSRPTv1; rua=mailto:a@shop.example", Ok(1)),
            ("v=TLSRPTv1;rua=https://shop.example/r,mailto:a@shop.example;", Ok(2)),
            ("v=TLSRPTv1; rua=a@shop.example", Err("tls-rpt.bad-uri")),
            ("v=TLSRPTv1; rua=mailto:a@shop.example,http://shop.example", Err("tls-rpt.bad-uri")),
            ("v=TLSRPTv1; rua=mailto:@shop.example", Err("tls-rpt.bad-uri")),
            ("v=TLSRPTv1; rua=", Err("tls-rpt.bad-uri")),
            ("v=TLSRPTv1", Err("tls-rpt.no-rua")),
            ("v=TLSRPTv2; rua=mailto:a@shop.example", Err("tls-rpt.bad-version")),
        ] {
            let found = TlsRpt::parse(text.as_bytes()).map(|record| record.rua.len());
            assert_eq!(found.map_err(|invalid| invalid.problems[0].code), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            for head in [&b"v=STSv1;"[..], b"v=TLSRPTv1;", b""] {
                let text = [head, &octets].concat();
                let _ = MtaSts::parse(&text);
                let _ = TlsRpt::parse(&text);
            }
        }
    }
}
