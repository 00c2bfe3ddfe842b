//! The server commands.

mod rows;

pub use rows::SPECS;

use super::ctx::{Ctx, Outcome};
use crate::resp::Argv;

fn info(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn dbsize(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn flushdb(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn flushall(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn command_count(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn command_docs(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn command_info(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn command_list(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn command_getkeys(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn command_getkeysandflags(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn command_help(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn config_get(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn config_set(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn config_resetstat(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn config_rewrite(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn config_help(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn time(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn debug(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn swapdb(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn shutdown(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn lolwut(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
