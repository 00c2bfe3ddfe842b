//! The generic commands.

mod rows;

pub use rows::SPECS;

use super::ctx::{Ctx, Outcome};
use crate::resp::Argv;

fn del(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn unlink(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn exists(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn touch(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn expire(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn pexpire(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn expireat(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn pexpireat(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn ttl(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn pttl(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn expiretime(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn pexpiretime(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn persist(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn keys(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn type_(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn rename(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn renamenx(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn scan(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn randomkey(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn copy(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn move_(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn object_encoding(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn object_refcount(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn object_idletime(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn object_freq(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
fn object_help(_ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    Ok(())
}
