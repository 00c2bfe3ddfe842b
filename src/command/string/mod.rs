//! The string commands.

mod rows;

pub use rows::SPECS;

use super::ctx::{Ctx, Outcome};
use crate::resp::Argv;

fn set(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn get(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn incr(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn incrby(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn decr(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn decrby(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn append(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn strlen(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn mset(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn mget(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn setnx(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn setex(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn psetex(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn getset(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn getdel(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn getex(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn msetnx(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn setrange(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn getrange(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn substr(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn incrbyfloat(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
