//! Any bytes in the files of the registry, and in what the system tells of processes.

use super::Registration;
use crate::fuzz::input::Input;
use crate::identity::process;

/// A damaged registration is none; a whole one is the same when it is written and read again.
pub fn registry(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    if input.byte() & 1 == 0 {
        let Ok(found) = serde_json::from_slice::<Registration>(input.rest()) else { return };
        let written = serde_json::to_vec(&found).unwrap_or_default();
        assert_eq!(serde_json::from_slice::<Registration>(&written).ok(), Some(found));
    } else {
        #[cfg(target_os = "linux")]
        let _ = process::parse_stat(1, &input.text());
        let _ = process::script_in(&input.text());
    }
}
