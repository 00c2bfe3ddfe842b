//! What every other layer may use: nothing here knows anything of ours.
pub mod sys;
