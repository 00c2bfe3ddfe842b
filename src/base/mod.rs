//! What every other layer may use: nothing here knows anything of ours.

pub mod cgroup;
pub mod clock;
pub mod crc64;
pub mod float;
pub mod glob;
pub mod hash;
pub mod heap;
pub mod num;
pub mod rng;
pub mod split;
pub mod sys;
pub mod wait;
