//! A second, slow and plain reading of SPF (RFC 7208), to compare the product with.
//!
//! It shares no code with the product. Records are trees, not text; the space has sixteen addresses of each family and one
//! outside; limits are applied on the way. What depends on the message is a question to a [`World`], and
//! [`explore`](evaluate::explore) goes through all worlds that make a difference.

pub mod cover;
pub mod draw;
pub mod evaluate;
pub mod read;
pub mod rewrite;
pub mod tree;

use std::collections::BTreeMap;

/// What a record leaves open, as the mechanism and the name that it asks for; for the reverse mapping `reverse` and nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// `exists`, `a`, `mx`, `include`, `redirect`, `ptr` or `reverse`.
    pub mechanism: &'static str,
    /// The name, with all filled in that does not depend on the message.
    pub target: String,
}

/// How a question turns out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// What happens.
    pub kind: Kind,
    /// Void queries that it takes.
    pub voids: u32,
    /// What it costs beyond that: lookups inside a record that nobody knows, hosts of an `mx`.
    pub cost: u32,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It matches.
    Match,
    /// It does not.
    NoMatch,
    /// The record asked for has this result.
    Result(Outcome),
}

/// One answer to each question that was asked so far.
pub type World = BTreeMap<Question, Answer>;

/// A result of `check_host()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "RFC 7208 section 2.6 says what they mean")]
pub enum Outcome {
    None,
    Neutral,
    Pass,
    Fail,
    SoftFail,
    TempError,
    PermError,
}

impl Outcome {
    /// All seven.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Neutral, Self::Pass, Self::Fail, Self::SoftFail, Self::TempError, Self::PermError];

    /// The name of the standard.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl Question {
    /// All ways in which it can turn out that any receiver could tell apart.
    pub fn answers(&self) -> Vec<Answer> {
        let each = |kinds: &[Kind], voids: &[u32], costs: &[u32]| {
            let mut answers = Vec::new();
            for kind in kinds {
                for voids in voids {
                    answers.extend(costs.iter().map(|cost| Answer {
                        kind: *kind,
                        voids: *voids,
                        cost: *cost,
                    }));
                }
            }
            answers
        };
        let both = [Kind::Match, Kind::NoMatch];
        let result = Kind::Result;
        match self.mechanism {
            // A local part that makes no label leaves nothing to ask, so that nothing is void.
            "exists" if self.target.contains("%{l") => {
                [each(&both[..1], &[0], &[0]), each(&both[1..], &[0, 1], &[0])].concat()
            }
            "exists" => [each(&both[..1], &[0], &[0]), each(&both[1..], &[1], &[0])].concat(),
            "a" => [each(&both, &[0], &[0]), each(&both[1..], &[1], &[0])].concat(),
            // Each host may be void, also before one that matches.
            "mx" => [each(&both, &[0], &[11]), each(&both, &[0, 1, 2, 10], &[0])].concat(),
            // Whether names of the client are void; which of them match is asked apart.
            "reverse" => each(&both[1..], &[0, 1, 2, 3, 9], &[0]),
            "include" => {
                let errors = [result(Outcome::TempError), result(Outcome::PermError)];
                each(&[&both[..], &errors[..]].concat(), &[0], &[0, 1, 9])
            }
            "redirect" => {
                let results = [
                    Outcome::Neutral,
                    Outcome::Pass,
                    Outcome::Fail,
                    Outcome::SoftFail,
                    Outcome::TempError,
                    Outcome::PermError,
                ];
                each(&results.map(result), &[0], &[0, 9])
            }
            _ => each(&both, &[0], &[0]),
        }
    }
}
