//! The list commands.

mod rows;

pub use rows::SPECS;

use super::ctx::{Ctx, Outcome};
use crate::resp::Argv;

fn lpush(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn rpush(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn lpop(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn rpop(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn llen(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn lindex(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn lrange(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn lset(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn lrem(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn lpushx(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn rpushx(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn linsert(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn ltrim(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn lpos(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn lmove(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn rpoplpush(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
