//! Where reports go (RFC 9989 section 4.6 and its formal definition in 4.8).

use std::fmt;

use serde::Serialize;

use crate::name::DomainName;

/// One destination of reports, from `rua` or `ruf`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReportUri {
    /// The URI as it was written, without the size limit.
    pub uri: String,
    /// The domain that takes the reports; none if the URI is not `mailto:`, which receivers need not support.
    pub host: Option<DomainName>,
    /// What stood after `!`, a limit of size that RFC 9989 ended.
    pub size: Option<String>,
}

impl ReportUri {
    /// Reads one URI (RFC 3986), with or without a size limit (RFC 7489 section 6.2).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (uri, size) = match text.split_once('!') {
            Some((uri, size)) => (uri, Some(size)),
            None => (text, None),
        };
        if !size.is_none_or(is_size) || !uri.bytes().all(is_uri_octet) {
            return None;
        }
        let (scheme, rest) = uri.split_once(':')?;
        let well_named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if !well_named || rest.is_empty() {
            return None;
        }
        let host = if scheme.eq_ignore_ascii_case("mailto") { Some(mail_host(rest)?) } else { None };
        Some(Self { uri: uri.to_owned(), host, size: size.map(ToOwned::to_owned) })
    }
}

/// The domain of the address of a `mailto:` URI (RFC 6068 section 2).
fn mail_host(rest: &str) -> Option<DomainName> {
    let address = rest.split_once('?').map_or(rest, |(address, _)| address);
    let (local, host) = address.rsplit_once('@')?;
    let host = DomainName::parse(host).ok()?;
    (!local.is_empty() && host.is_host_name()).then_some(host)
}

fn is_size(text: &str) -> bool {
    let digits = text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G', 't', 'T']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether RFC 3986 lets an octet stand in a URI; comma and exclamation mark must be encoded here.
fn is_uri_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~:/?#[]@$&'()*+;=%".contains(&octet)
}

impl fmt::Display for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)?;
        match &self.size {
            Some(size) => write!(f, "!{size}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DomainName, ReportUri};

    /// RFC 9989 section 4.8.
    #[test]
    fn uris() {
        for (text, host, size) in [
            ("mailto:d@Example.net", Some("example.net"), None),
            ("MAILTO:d+x@example.net?subject=x", Some("example.net"), None),
            ("mailto:d@example.net!10m", Some("example.net"), Some("10m")),
            ("https://example.net/reports", None, None),
        ] {
            let uri = ReportUri::parse(text).unwrap();
            assert_eq!(
                (uri.host.as_ref().map(DomainName::as_str), uri.size.as_deref()),
                (host, size),
                "{text}"
            );
            assert_eq!(uri.to_string(), text);
        }
        for text in [
            "",
            "d@example.net",
            "mailto:",
            "mailto:example.net",
            "mailto:@example.net",
            "mailto:d@",
            "mailto:d@a..b",
            "mailto:d@example.net!",
            "mailto:d@example.net!m",
            "mailto:d@example.net!1x",
            "mailto:d @example.net",
            "1a:b",
            "mailto:d@example net",
        ] {
            assert_eq!(ReportUri::parse(text), None, "{text}");
        }
    }
}
