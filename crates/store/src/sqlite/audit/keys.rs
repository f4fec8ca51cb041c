//! The number of keys that is kept for each principal, against the keys.

use super::Books;
use crate::care::audit::{About, Finding, Mend};
use crate::care::error::CareError;

const WRONG: &str = "SELECT count(*) FROM (SELECT principal, count(*) AS n FROM _methodical_keys \
    GROUP BY principal) AS k FULL JOIN _methodical_principals AS p ON p.principal = k.principal \
    WHERE p.keys IS NOT k.n";
const REBUILD: &str = "DELETE FROM _methodical_principals; \
    INSERT INTO _methodical_principals (principal, keys) \
    SELECT principal, count(*) FROM _methodical_keys GROUP BY principal;";

pub(super) fn find(books: &Books<'_>) -> Result<Vec<Finding>, CareError> {
    let wrong = books.number(WRONG, [])?;
    let told = || {
        let text = format!(
            "the number of Idempotency-Keys is kept wrong for {wrong} principals: `keys.max` \
             could be met too early or too late"
        );
        Finding::new(About::Keys, Mend::Repair, text)
    };
    Ok((wrong > 0).then(told).into_iter().collect())
}

pub(super) fn rebuild(books: &Books<'_>) -> Result<Vec<String>, CareError> {
    books.connection.execute_batch(REBUILD)?;
    Ok(vec!["the Idempotency-Keys of every principal were counted anew".to_owned()])
}
