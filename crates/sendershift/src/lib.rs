//! Plans a change of mail-sending domain and proves that every declared message stays authenticated.
//!
//! A [`migration::Migration`] says who sends what, now and then; a [`dns::Snapshot`] says what DNS says. [`planner::plan`]
//! makes a [`plan::Plan`] of both: ordered steps with distances, each with its records. [`prove::prove`] tries to break
//! any plan, and gives a [`prove::Proof`] or a counterexample. [`render::text`] shows both to people.
//!
//! Below that stand the standards, each of use alone: [`spf`] (RFC 7208), [`dkim`] (RFC 6376), [`dmarc`] (RFC 9989), all on
//! [`dns::Evidence`], and exact sets of addresses ([`net`]). [`wire::call`] has every operation as JSON text in, JSON text out.
//!
//! The crate is a pure function of its input: no network, clock, files, environment or randomness. Evidence that
//! is missing is an error that lists the questions ([`error::Missing`]).
//!
//! # Examples
//!
//! ```
//! use sendershift::plan::Plan;
//! use sendershift::prove::{Judged, prove};
//!
//! // Nothing changes, and the one stream passes: safe.
//! let plan = Plan::from_json(r#"{
//!     "format": "sendershift-plan/1",
//!     "parameters": { "start": "2026-11-02T00:00:00Z" },
//!     "sources": [{ "id": "own", "addresses": ["192.0.2.0/28"] }],
//!     "streams": [{ "id": "news", "live": ["now"], "spf_only": true, "identities": [
//!         { "id": "now", "author_domain": "club.example", "mail_from": "club.example", "sources": ["own"] }] }],
//!     "steps": [],
//!     "evidence": { "format": "sendershift-snapshot/1", "closed": true, "answers": [
//!         { "name": "club.example", "type": "TXT", "records": ["v=spf1 ip4:192.0.2.0/28 -all"] },
//!         { "name": "_dmarc.club.example", "type": "TXT", "records": ["v=DMARC1; p=none"] }] }
//! }"#)?;
//! assert_eq!(prove(&plan)?.verdict, Judged::Safe);
//! # Ok::<(), sendershift::error::Error>(())
//! ```

pub mod adjacent;
mod base64;
pub mod dkim;
pub mod dmarc;
pub mod dns;
mod document;
pub mod error;
pub mod finding;
pub mod lint;
pub mod migration;
pub mod name;
pub mod net;
pub mod plan;
pub mod planner;
pub mod prove;
pub mod provider;
pub mod render;
pub mod spf;
pub mod suffix;
mod tag_list;
pub mod wire;
