//! Requests of a client.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    flashkv_fuzz::request(input);
});
