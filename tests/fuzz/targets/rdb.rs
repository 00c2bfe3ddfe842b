//! An RDB file.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    flashkv_fuzz::rdb(input);
});
