//! The codes of P3.

/// The code of P3 for what fails.
pub(super) fn of(code: &str) -> &'static str {
    macro_rules! codes {
        ($($code:literal),* $(,)?) => {
            match code {
                $($code => concat!("p3.", $code),)*
                "p3.not-taken-back" => "p3.not-taken-back",
                _ => "p3.undo-fails",
            }
        };
    }
    codes!(
        "p1.dkim-needed-too",
        "p1.no-dkim-under-enforcement",
        "p1.no-dmarc-policy",
        "p1.not-authenticated",
        "p1.signature-not-verifiable",
        "p1.spf-needed-too",
        "p2.permerror",
        "p2.record-too-large",
        "p2.too-many-lookups",
        "p2.too-many-mx",
        "p2.too-many-mx-addresses",
        "p2.too-many-voids",
        "p2.worse-than-today",
        "p6.no-gate",
        "p9.no-mail-host",
        "p9.no-such-domain",
        "p9.null-mx",
    )
}
