//! Base64 without padding (RFC 4648 sections 4 and 5).

/// The last two digits, where they are those of keys and mail.
pub(crate) const STANDARD: [u8; 2] = *b"+/";
/// The last two digits, where they stand in URLs.
pub(crate) const URL_SAFE: [u8; 2] = *b"-_";

/// The octets that a text stands for.
pub(crate) fn decode(text: &str, last: [u8; 2]) -> Option<Vec<u8>> {
    // Six bits alone are no octet.
    if text.len() % 4 == 1 {
        return None;
    }
    let mut octets = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut buffer, mut bits) = (0u32, 0);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            _ => u8::try_from(last.iter().position(|digit| *digit == c)?).ok()? + 62,
        };
        buffer = buffer << 6 & 0xffff | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            octets.push(u8::try_from(buffer >> bits & 0xff).ok()?);
        }
    }
    Some(octets)
}

/// The text of octets for a URL.
pub(crate) fn encode_for_url(octets: &[u8]) -> String {
    let digit = |value: u32| {
        char::from(match u8::try_from(value & 63).unwrap_or_default() {
            value @ 0..26 => b'A' + value,
            value @ 26..52 => b'a' + value - 26,
            value @ 52..62 => b'0' + value - 52,
            62 => b'-',
            _ => b'_',
        })
    };
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for chunk in octets.chunks(3) {
        let octet = |at| chunk.get(at).copied().map_or(0, u32::from);
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        text.extend([18, 12, 6, 0].into_iter().take(chunk.len() + 1).map(|shift| digit(bits >> shift)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{STANDARD, URL_SAFE, decode, encode_for_url};

    /// RFC 4648 section 10.
    #[test]
    fn texts_of_the_rfc() {
        for (text, octets) in [
            ("", ""),
            ("Zg", "f"),
            ("Zm8", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg", "foob"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode(text, STANDARD).as_deref(), Some(octets.as_bytes()), "{text}");
            assert_eq!(encode_for_url(octets.as_bytes()), text);
        }
        for text in ["Z", "Zg==", "Zm 9", "Zm9-", "Zm9vY"] {
            assert_eq!(decode(text, STANDARD), None, "{text}");
        }
        assert_eq!(decode("-_-_", URL_SAFE), Some(vec![0xfb, 0xff, 0xbf]));
        assert_eq!(encode_for_url(&[0xfb, 0xff, 0xbf]), "-_-_");
    }

    proptest::proptest! {
        #[test]
        fn what_was_written_is_read(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            proptest::prop_assert_eq!(decode(&encode_for_url(&octets), URL_SAFE), Some(octets));
        }
    }
}
