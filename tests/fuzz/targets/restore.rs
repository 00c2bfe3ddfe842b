//! The payload of a RESTORE.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    flashkv_fuzz::restore(input);
});
