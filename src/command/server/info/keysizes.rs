//! INFO's section about the sizes of keys, as Redis 8 has it: by database and type, how
//! many keys have a size from each power of two to below the next. The figures are those of the
//! last walk over all keys (`exec::survey`).

use super::Text;
use crate::command::ctx::Ctx;
use crate::store::Busy;

pub(super) fn sizes(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    let mut sizes = ctx.services.observed.big_keys.sizes();
    sizes.sort_by_key(|sizes| (sizes.db, order(sizes.type_name)));
    for one in &sizes {
        let classes = one
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        let shown: Vec<String> = classes
            .map(|(class, count)| format!("{}={count}", bound(class)))
            .collect();
        let name = match one.type_name {
            "string" => "strings_sizes".to_owned(),
            "hash" => "hashes_items".to_owned(),
            other => format!("{other}s_items"),
        };
        text.field(&format!("db{}_distrib_{name}", one.db), shown.join(","));
    }
    Ok(())
}

fn order(type_name: &str) -> usize {
    const ORDER: [&str; 5] = ["string", "list", "set", "zset", "hash"];
    let at = ORDER.iter().position(|name| *name == type_name);
    at.unwrap_or(ORDER.len())
}

/// The least size of a class: `1`, `512`, `1K`, `4M`.
fn bound(class: usize) -> String {
    const UNITS: [&str; 5] = ["", "K", "M", "G", "T"];
    format!("{}{}", 1 << (class % 10), UNITS[class / 10])
}
