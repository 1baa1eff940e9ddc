//! Any bytes are read or refused, never with a panic; what was read is written to text that reads and writes the same.
//!
//! ```sh
//! cd crates/imgpkg-formats && cargo +nightly fuzz run yaml_read
//! ```

#![no_main]

use imgpkg_formats::yaml::{self, Value};
use libfuzzer_sys::fuzz_target;

fn read_back(text: &str) -> Value {
    yaml::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fuzz_target!(|data: &[u8]| {
    match yaml::read(data) {
        Ok(value) => {
            // Once for fractions that become whole numbers, such as `-0.0`; from then on nothing may change.
            let text = yaml::write(&read_back(&yaml::write(&value)));
            assert_eq!(yaml::write(&read_back(&text)), text, "reads back as another value");
        }
        Err(error) => assert!(error.line() > 0 && error.column() > 0 && !error.to_string().is_empty()),
    }
});
