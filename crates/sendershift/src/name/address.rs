//! Addresses of mail as people and logs write them.

use super::DomainName;
use crate::error::Problem;

/// The address that is given as a return path, without the angle brackets that mail logs have: empty for the null sender,
/// which is written `<>` (RFC 5321 sections 4.1.2 and 4.5.5). A domain alone may stand for an address.
///
/// What RFC 7208 section 4.3 has an answer to is left to it: a domain of one label, one with a label that is empty or too long, and an
/// address literal.
///
/// # Errors
///
/// `name.not-an-address` for anything else, with the remedy: it would be taken for an address of another domain.
///
/// # Examples
///
/// ```
/// use sendershift::name::return_path;
///
/// assert_eq!(return_path("<bob@example.net>")?, "bob@example.net");
/// assert_eq!(return_path("<>")?, "");
/// let problem = return_path("Bob <bob@example.net>").unwrap_err();
/// assert_eq!(problem.help.as_deref(), Some("write the address alone: `bob@example.net`"));
/// # Ok::<(), sendershift::error::Problem>(())
/// ```
pub fn return_path(text: &str) -> Result<&str, Problem> {
    let bare = without_brackets(text);
    if bare.is_empty() || is_address(bare) {
        return Ok(bare);
    }
    let inner = text.rsplit_once('<').and_then(|(_, inner)| inner.split('>').next());
    let help = match (text.trim(), inner) {
        (trimmed, _) if trimmed.len() < text.len() && is_address(without_brackets(trimmed)) => {
            "take the space around it out".to_owned()
        }
        (_, Some(inner)) if is_address(inner) => format!("write the address alone: `{inner}`"),
        _ => {
            "an address is written `bob@example.com` or `<bob@example.com>`, the null sender `<>`".to_owned()
        }
    };
    let message = format!("`{text}` is no address of mail, nor a domain");
    Err(Problem::new("name.not-an-address", message).at(0..text.len()).help(help))
}

/// The domain of an address, or of one that is given alone; none for the null sender.
///
/// # Errors
///
/// As [`return_path`] and [`DomainName::parse_for_mail`].
///
/// # Examples
///
/// ```
/// use sendershift::name::domain_of_address;
///
/// assert_eq!(domain_of_address("<bob@Example.net>")?.unwrap().as_str(), "example.net");
/// assert_eq!(domain_of_address("<>")?, None);
/// # Ok::<(), sendershift::error::Problem>(())
/// ```
pub fn domain_of_address(text: &str) -> Result<Option<DomainName>, Problem> {
    let bare = return_path(text)?;
    let (_, domain) = bare.rsplit_once('@').unwrap_or(("", bare));
    if bare.is_empty() {
        Ok(None)
    } else {
        DomainName::parse_for_mail(domain).map(Some).map_err(|problem| problem.at(0..text.len()))
    }
}

fn without_brackets(text: &str) -> &str {
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text)
}

fn is_address(bare: &str) -> bool {
    match bare.rsplit_once('@') {
        Some((local_part, domain)) => is_local_part(local_part) && is_domain(domain),
        None => is_domain(bare),
    }
}

/// Whether it may be a local part. More is allowed than RFC 5321 section 4.1.2 does, as more is sent; what tells of
/// another reading is not: lists, names, brackets and comments.
fn is_local_part(text: &str) -> bool {
    let is_quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    let is_plain = |c: char| !(c.is_whitespace() || c.is_control() || "<>@,;\"".contains(c));
    is_quoted || text.chars().all(is_plain)
}

/// Whether it may be a domain: letters of any script, digits, hyphens and underscores, or an address literal.
fn is_domain(text: &str) -> bool {
    let is_literal = text.starts_with('[') && text.ends_with(']');
    let is_plain =
        |octet: u8| octet.is_ascii_alphanumeric() || !octet.is_ascii() || matches!(octet, b'-' | b'_' | b'.');
    let last = text.strip_suffix('.').unwrap_or(text).rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|octet| octet.is_ascii_digit());
    is_literal || (text.bytes().all(is_plain) && !is_number)
}

#[cfg(test)]
mod tests {
    use super::{domain_of_address, return_path};

    #[test]
    fn what_mail_logs_have_is_read() {
        for (text, bare) in [
            ("", ""),
            ("<>", ""),
            ("bob@shop.example", "bob@shop.example"),
            ("<bob@shop.example>", "bob@shop.example"),
            ("\"a b@c\"@shop.example", "\"a b@c\"@shop.example"),
            ("SRS0=x/y=+z=a.example=bob@shop.example", "SRS0=x/y=+z=a.example=bob@shop.example"),
            ("@shop.example", "@shop.example"),
            ("shop.example", "shop.example"),
            ("bob@bücher.example.", "bob@bücher.example."),
            // RFC 7208 section 4.3: these have the result none.
            ("bob@localhost", "bob@localhost"),
            ("bob@a..example", "bob@a..example"),
            ("bob@[192.0.2.1]", "bob@[192.0.2.1]"),
        ] {
            assert_eq!(return_path(text).ok(), Some(bare), "{text}");
        }
    }

    #[test]
    fn what_would_be_another_domain_is_refused() {
        for text in [
            "bob@shop.example ",
            " bob@shop.example",
            "Bob <bob@shop.example>",
            "<bob@shop.example",
            "bob@shop.example>",
            "<<bob@shop.example>>",
            "<@relay.example:bob@shop.example>",
            "a@shop.example,b@shop.example",
            "bob@",
            "bob@192.0.2.1",
            "< >",
            "bob@shop.example\t",
            "shop example",
        ] {
            let problem = return_path(text).unwrap_err();
            assert_eq!(problem.code, "name.not-an-address", "{text}");
            assert!(problem.help.is_some(), "{text}");
        }
        assert_eq!(
            return_path(" <a@b.example>").unwrap_err().help.as_deref(),
            Some("take the space around it out")
        );
        assert_eq!(domain_of_address("bob@[192.0.2.1]").unwrap_err().code, "name.not-for-mail");
    }
}
