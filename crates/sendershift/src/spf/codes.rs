//! The codes of every problem that a record, a domain-spec or its expansion can have.
//!
//! Problems of an expanded name carry the codes `name.*` of [`DomainName`](crate::name::DomainName) besides.

/// `all` is followed by something: it takes no argument (RFC 7208 section 5.1).
pub const ALL_HAS_ARGUMENT: &str = "spf.all-has-argument";
/// A domain-spec does not end in a dot and a top label, or in a macro (section 7.1).
pub const BAD_DOMAIN: &str = "spf.bad-domain";
/// The argument of `ip4` is not an IPv4 address (section 5.6).
pub const BAD_IP4: &str = "spf.bad-ip4";
/// The argument of `ip6` is not an IPv6 address (section 5.6).
pub const BAD_IP6: &str = "spf.bad-ip6";
/// A `%` begins no macro, or one that is not allowed where it stands (sections 7.1 and 7.2).
pub const BAD_MACRO: &str = "spf.bad-macro";
/// A prefix length is not a number without leading zeros within its range (sections 5.3 and 5.6).
pub const BAD_PREFIX_LENGTH: &str = "spf.bad-prefix-length";
/// A term is neither a directive nor a modifier (section 4.6.1).
pub const BAD_TERM: &str = "spf.bad-term";
/// A control octet, such as a tab: only spaces separate terms (section 4.6.1).
pub const CONTROL_OCTET: &str = "spf.control-octet";
/// `redirect` or `exp` stands a second time (section 6).
pub const DUPLICATE_MODIFIER: &str = "spf.duplicate-modifier";
/// A macro expands to text outside ASCII, which no domain name in the DNS can be (RFC 8616 section 4).
pub const EXPANSION_NOT_ASCII: &str = "spf.expansion-not-ascii";
/// A mechanism or modifier lacks the domain-spec that it needs (RFC 7208 sections 5 and 6).
pub const MISSING_DOMAIN: &str = "spf.missing-domain";
/// An octet outside ASCII (section 3.1).
pub const NOT_ASCII: &str = "spf.not-ascii";
/// The text does not begin with `v=spf1` and a space or the end (section 4.5).
pub const NOT_SPF: &str = "spf.not-spf";
/// A modifier has a qualifier in front (section 4.6.1).
pub const QUALIFIED_MODIFIER: &str = "spf.qualified-modifier";
/// A prefix length stands where none is allowed (sections 5.2, 5.5 and 5.7).
pub const UNEXPECTED_PREFIX_LENGTH: &str = "spf.unexpected-prefix-length";
/// A mechanism that does not exist (section 4.6.1).
pub const UNKNOWN_MECHANISM: &str = "spf.unknown-mechanism";

/// All codes, sorted.
pub const ALL: [&str; 16] = [
    ALL_HAS_ARGUMENT,
    BAD_DOMAIN,
    BAD_IP4,
    BAD_IP6,
    BAD_MACRO,
    BAD_PREFIX_LENGTH,
    BAD_TERM,
    CONTROL_OCTET,
    DUPLICATE_MODIFIER,
    EXPANSION_NOT_ASCII,
    MISSING_DOMAIN,
    NOT_ASCII,
    NOT_SPF,
    QUALIFIED_MODIFIER,
    UNEXPECTED_PREFIX_LENGTH,
    UNKNOWN_MECHANISM,
];
