//! ARNs of tables.

use stator::wire::Arn;

pub(crate) fn run(input: &[u8]) {
    let text = crate::text(input);
    match Arn::parse(text) {
        Ok(arn) => {
            for part in [arn.region, arn.account, arn.table] {
                assert!(text.contains(part));
            }
        }
        Err(error) => {
            let _words = error.to_string();
        }
    }
}
