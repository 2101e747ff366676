//! Any record in any store: the first byte says which.

use crate::fuzz::input::Input;

/// What lies in a store is read or refused, whatever somebody made of it.
pub fn records(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    if input.byte() & 1 == 0 {
        super::embedded::fuzz::row(&mut input);
    } else {
        super::valkey::fuzz::answer(&mut input);
    }
}
