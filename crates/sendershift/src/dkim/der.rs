//! Just enough base64 and DER to tell a public key from a mutilated one.

use crate::base64;

/// `rsaEncryption`, 1.2.840.113549.1.1.1 (RFC 8017 appendix A.1).
const RSA_ENCRYPTION: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// The octets that base64 text stands for (RFC 4648 section 4), padding required, space already removed.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let body = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    text.len().is_multiple_of(4).then(|| base64::decode(body, base64::STANDARD))?
}

/// The bits of the modulus of an RSA public key, either bare (RFC 6376 section 3.6.1) or, as everyone writes
/// it, in a `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
pub(super) fn rsa_bits(der: &[u8]) -> Option<usize> {
    let outer = only(der, SEQUENCE)?;
    let Some((algorithm, rest)) = element(outer, SEQUENCE) else { return modulus_bits(outer) };
    let (identifier, _) = element(algorithm, OBJECT_IDENTIFIER)?;
    if identifier != RSA_ENCRYPTION {
        return None;
    }
    let key = only(rest, BIT_STRING)?.strip_prefix(&[0])?;
    modulus_bits(only(key, SEQUENCE)?)
}

/// The bits of the first of exactly two integers.
fn modulus_bits(key: &[u8]) -> Option<usize> {
    let (modulus, rest) = element(key, INTEGER)?;
    let exponent = only(rest, INTEGER)?;
    let first = modulus.iter().position(|octet| *octet != 0)?;
    let digits = modulus.get(first..)?;
    let unused = usize::try_from(digits.first()?.leading_zeros()).ok()?;
    exponent.iter().any(|octet| *octet != 0).then_some(digits.len() * 8 - unused)
}

/// The content of an element with nothing after it.
fn only(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (content, rest) = element(der, tag)?;
    rest.is_empty().then_some(content)
}

/// The content of an element of definite length, and what follows it (X.690 section 8.1).
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, short], rest) = der.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = if short < 0x80 {
        (usize::from(short), rest)
    } else {
        let (octets, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
        if octets.is_empty() || octets.len() > 3 {
            return None;
        }
        (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::{from_base64, rsa_bits};

    /// RFC 4648 section 10.
    #[test]
    fn base64() {
        for (text, octets) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(from_base64(text).as_deref(), Some(octets.as_bytes()), "{text}");
        }
        for text in ["Zg", "Zg=", "Z===", "Zm9v=", "Zm 9", "Zm9-"] {
            assert_eq!(from_base64(text), None, "{text}");
        }
    }

    #[test]
    fn a_cut_key_is_no_key() {
        let key = from_base64(crate::dkim::tests::RSA_1024).unwrap();
        assert_eq!(rsa_bits(&key), Some(1024));
        for length in 0..key.len() {
            assert_eq!(rsa_bits(&key[..length]), None, "{length}");
        }
        let mut longer = key;
        longer.push(0);
        assert_eq!(rsa_bits(&longer), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let _ = rsa_bits(&octets);
        }
    }
}
