//! The entries. Facts with their sources; what no source says is `Unknown`.

use super::{Counted, Dkim, Provider, ReturnPath, Volatility};

/// When the entries were looked through last.
pub const AS_OF: &str = "2026-11-21";

const fn counted(lookups: u32, as_of: &'static str) -> Counted {
    Counted { lookups, as_of }
}

/// An entry of which nothing is known.
const UNKNOWN: Provider = Provider {
    id: "",
    title: "",
    names: &[],
    volatility: Volatility::Unknown,
    lookups: None,
    return_path: ReturnPath::Unknown,
    dkim: Dkim::Unknown,
    note: None,
    sources: &[],
};

/// The providers, by id.
pub const ALL: &[Provider] = &[
    Provider {
        id: "amazon-ses",
        title: "Amazon SES",
        names: &["amazonses.com"],
        lookups: Some(counted(1, "2026")),
        return_path: ReturnPath::Subdomain,
        dkim: Dkim::Cname,
        note: Some(
            "its record authorises every customer of Amazon SES; where the MX record of a custom MAIL FROM domain is missing, mail \
             silently falls back to amazonses.com unless it is told to reject",
        ),
        sources: &["docs.aws.amazon.com/ses/latest/APIReference/API_SetIdentityMailFromDomain.html"],
        ..UNKNOWN
    },
    Provider {
        id: "fastmail",
        title: "Fastmail",
        names: &["messagingengine.com"],
        lookups: Some(counted(1, "2026")),
        sources: &["wirewiki.com, the tree of spf.messagingengine.com"],
        ..UNKNOWN
    },
    Provider {
        id: "google",
        title: "Google Workspace",
        names: &[
            "_spf.google.com",
            "_netblocks.google.com",
            "_netblocks2.google.com",
            "_netblocks3.google.com",
        ],
        volatility: Volatility::Changes,
        lookups: Some(counted(1, "2026")),
        return_path: ReturnPath::SenderDomain,
        dkim: Dkim::Txt,
        note: Some(
            "_spf.google.com cost 4 lookups until autumn 2025, 3 in November 2025 and 1 after; _netblocks3.google.com was emptied on \
             the way, which broke who had copied it",
        ),
        sources: &["spamresource.com/2025/11/peeking-into-googles-spf-record.html"],
        ..UNKNOWN
    },
    Provider {
        id: "greenhouse",
        title: "Greenhouse Recruiting",
        names: &["greenhouse.io"],
        return_path: ReturnPath::Subdomain,
        note: Some("its subdomain aligns relaxed only: a domain with aspf=s or adkim=s needs another set-up"),
        sources: &["support.greenhouse.io/hc/en-us/articles/201111684-Email-Verification"],
        ..UNKNOWN
    },
    Provider {
        id: "hubspot",
        title: "HubSpot",
        names: &["hubspotemail.net"],
        lookups: Some(counted(1, "2026")),
        return_path: ReturnPath::Subdomain,
        dkim: Dkim::Cname,
        sources: &["spfwise.com, its guides to providers"],
        ..UNKNOWN
    },
    Provider {
        id: "mailchimp",
        title: "Mailchimp",
        names: &["mcsv.net", "spf.mandrillapp.com"],
        lookups: Some(counted(1, "2025")),
        return_path: ReturnPath::ProviderDomain,
        dkim: Dkim::Cname,
        sources: &["suped.com/knowledge/email-deliverability/technical, SPF include for Mailchimp"],
        ..UNKNOWN
    },
    Provider {
        id: "microsoft-365",
        title: "Microsoft 365",
        names: &["spf.protection.outlook.com"],
        lookups: Some(counted(1, "2026")),
        return_path: ReturnPath::SenderDomain,
        dkim: Dkim::Cname,
        note: Some(
            "each subdomain needs selector records of its own; it notices them after minutes to 4 days",
        ),
        sources: &["MicrosoftDocs defender-docs, email-authentication-dkim-configure.md"],
        ..UNKNOWN
    },
    Provider {
        id: "proofpoint",
        title: "Proofpoint",
        names: &["pphosted.com"],
        volatility: Volatility::DependsOnMessage,
        lookups: Some(counted(1, "2024")),
        note: Some(
            "of its hosted records, include:%{ir}.%{v}.%{d}.spf.has.pphosted.com; its static includes are lists",
        ),
        sources: &["github.com tostka/verb-Network, notes on SPF"],
        ..UNKNOWN
    },
    Provider {
        id: "salesforce",
        title: "Salesforce",
        names: &["_spf.salesforce.com", "_spf.mta.salesforce.com"],
        volatility: Volatility::DependsOnMessage,
        lookups: Some(counted(2, "2026")),
        dkim: Dkim::Cname,
        note: Some(
            "its `exists` is a void lookup for every address that is not its own; since spring 2026 it refuses mail of From domains \
             that are not verified",
        ),
        sources: &[
            "help.salesforce.com/s/articleView?id=005316090",
            "github.com tostka/verb-Network, notes on SPF",
        ],
        ..UNKNOWN
    },
    Provider {
        id: "sendgrid",
        title: "Twilio SendGrid",
        names: &["sendgrid.net"],
        lookups: Some(counted(2, "2026")),
        return_path: ReturnPath::Subdomain,
        dkim: Dkim::Cname,
        note: Some("its subdomain aligns relaxed only, its signatures also strictly"),
        sources: &["dmarc.wiki/sendgrid", "support.sendgrid.com/hc/en-us/articles/21415314709147"],
        ..UNKNOWN
    },
    Provider {
        id: "servicenow",
        title: "ServiceNow",
        names: &["spf.service-now.com"],
        volatility: Volatility::Changes,
        lookups: Some(counted(1, "2025")),
        note: Some(
            "b., c. and d.spf.service-now.com cost 1 each, and all three have to stay: its regions back each other up without notice",
        ),
        sources: &["support.servicenow.com KB0535456"],
        ..UNKNOWN
    },
    Provider {
        id: "zendesk",
        title: "Zendesk",
        names: &["mail.zendesk.com"],
        volatility: Volatility::Changes,
        lookups: Some(counted(1, "2026-02")),
        dkim: Dkim::Cname,
        note: Some("it wants its own include in the record and refuses one that was written out"),
        sources: &["support.zendesk.com/hc/en-us/articles/115015746187", "mxio.io/providers/zendesk"],
        ..UNKNOWN
    },
];
