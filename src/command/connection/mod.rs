//! The connection commands.

mod rows;

pub use rows::SPECS;

use super::ctx::{Ctx, Outcome};
use crate::resp::Argv;

fn ping(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn echo(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn select(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn quit(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn hello(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn reset(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn client_id(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn client_setname(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn client_getname(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn client_info(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn client_list(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn client_kill(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn client_no_evict(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn client_reply(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn client_help(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn auth(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
