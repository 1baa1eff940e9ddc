use super::*;

#[test]
fn tmp() {
    assert_eq!(padding(1), 511);
}
