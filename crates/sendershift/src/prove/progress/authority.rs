//! Whom others let pass SPF: whoever does so for a name that aligns passes DMARC.

use std::collections::BTreeSet;

use super::authentication::Side;
use crate::plan::Remark;
use crate::prove::promise::{added, domains};
use crate::prove::users::Users;

/// The domains for which SPF lets addresses pass that it did not when the plan was made and that none of their declared mail comes from.
pub(super) fn wider(then: &Side<'_>, now: &Side<'_>) -> Vec<Remark> {
    let users = Users::new(then.plan, &then.flux, &then.timeline, &then.sources);
    let mut remarks = Vec::new();
    let all = domains(then.plan, &users).into_iter().chain(domains(now.plan, &users));
    for domain in all.collect::<BTreeSet<_>>() {
        let starts = (then.flux.era(then.plan, 0), now.flux.era(now.plan, 0));
        let ends = (then.flux.last_era(then.plan), now.flux.last_era(now.plan));
        for (before, after) in [starts, ends] {
            // What neither needs has no answer, and is judged by nobody.
            let Ok(more) = added(&before, &after, &domain) else { continue };
            let more = more.difference(&users.declared_for(then.plan, &domain));
            if more.is_empty() {
                continue;
            }
            let message = format!(
                "others let {} more addresses pass SPF for it than did when the plan was made, beside those of declared sources: whoever sends from them passes DMARC where the name aligns. Is it meant to be so?",
                more.count().brief()
            );
            remarks.push(Remark::new("proof.wider-now", Some(domain.as_str()), message));
            break;
        }
    }
    remarks
}
