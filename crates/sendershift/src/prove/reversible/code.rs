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
        "p2.refused",
        "p2.too-many-lookups",
        "p2.too-many-mx",
        "p2.too-many-mx-addresses",
        "p2.too-many-voids",
        "p2.worse-than-today",
        "p4.given-up-authorised",
        "p4.given-up-in-use",
        "p4.given-up-referenced",
        "p4.key-for-nobody",
        "p4.key-left-behind",
        "p4.left-behind",
        "p4.more-than-needed",
        "p4.more-than-needed-for-a-while",
        "p5.no-report-address",
        "p5.report-host-unreachable",
        "p5.report-not-authorised",
        "p6.no-gate",
        "p6.weaker",
        "p9.helo-without-address",
        "p9.mta-sts",
        "p9.mx-alias",
        "p9.no-mail-host",
        "p9.no-such-domain",
        "p9.null-mx",
        "p9.null-mx-beside-others",
        "p10.alignment-changed",
        "p10.key-lost",
        "p10.null-mx",
        "p10.policy-changed",
        "p10.record-removed",
        "p10.spf-changed",
        "p10.unreachable",
    )
}
