//! Which clients CLIENT LIST and CLIENT KILL mean: those that meet all criteria.
//!
//! Redis 7.2 has ID, TYPE, ADDR, LADDR, USER, SKIPME and MAXAGE; the others, several
//! ids, and a NOT- before any criterion that turns it round are Valkey's.

use std::sync::atomic::Ordering::Relaxed;

use super::auth::DEFAULT_USER;
use super::list::flags;
use crate::base::clock::Millis;
use crate::base::num;
use crate::clients::Client;
use crate::command::error::Error;
use crate::resp::Argv;

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Filter<'a> {
    criteria: Vec<Criterion<'a>>,
    /// The asking client is not meant.
    pub spare_me: bool,
}

#[derive(Debug)]
struct Criterion<'a> {
    negated: bool,
    what: What<'a>,
}

#[derive(Debug)]
enum What<'a> {
    Ids(Vec<u64>),
    Kind(Kind),
    Address(&'a [u8]),
    LocalAddress(&'a [u8]),
    /// The part of the address before the port.
    Ip(&'a [u8]),
    /// All are the one user there is.
    DefaultUser,
    /// Connected, or idle, for at least so many seconds.
    Age(i64),
    Idle(i64),
    Name(&'a [u8]),
    LibName(&'a [u8]),
    LibVersion(&'a [u8]),
    /// All of these letters of CLIENT LIST.
    Flags(&'a [u8]),
    Db(i64),
}

impl<'a> Filter<'a> {
    /// The form of old: an address, be it the own.
    pub fn address(address: &'a [u8]) -> Filter<'a> {
        let what = What::Address(address);
        Filter {
            criteria: vec![Criterion {
                negated: false,
                what,
            }],
            spare_me: false,
        }
    }

    /// Options and values in turn.
    pub fn read(options: Argv<'a>, spare_me: bool) -> Result<Filter<'a>, Error> {
        let mut filter = Filter {
            criteria: Vec::new(),
            spare_me,
        };
        let mut at = 0;
        while at < options.len() {
            if at + 1 == options.len() {
                return Err(Error::Syntax);
            }
            let option = options.get(at).to_ascii_lowercase();
            at += filter.option(&option, options.from(at + 1))?;
        }
        Ok(filter)
    }

    /// Reads one option; how many arguments it takes.
    fn option(&mut self, option: &[u8], values: Argv<'a>) -> Result<usize, Error> {
        let value = values.get(0);
        if option == b"skipme" {
            self.spare_me = yes_or_no(value)?;
            return Ok(2);
        }
        let (negated, name) = match option.strip_prefix(b"not-") {
            Some(name) => (true, name),
            None => (false, option),
        };
        let mut taken = 2;
        let what = match name {
            b"id" => {
                let ids = ids(values)?;
                taken = 1 + ids.len();
                What::Ids(ids)
            }
            b"type" => What::Kind(Kind::read(value)?),
            b"addr" => What::Address(value),
            b"laddr" => What::LocalAddress(value),
            b"ip" => What::Ip(value),
            b"user" => user(value)?,
            b"maxage" => What::Age(seconds(value, "maxage")?),
            b"idle" => What::Idle(seconds(value, "idle")?),
            b"name" => What::Name(value),
            b"lib-name" => What::LibName(value),
            b"lib-ver" => What::LibVersion(value),
            b"flags" => What::Flags(value),
            b"db" => What::Db(num::parse_i64(value).ok_or(Error::Syntax)?),
            _ => return Err(Error::Syntax),
        };
        self.criteria.push(Criterion { negated, what });
        Ok(taken)
    }

    /// Whether a client is meant; `own` is the id of the client that asks.
    pub fn admits(&self, client: &Client, own: u64, now: Millis) -> bool {
        let meets =
            |criterion: &Criterion<'_>| criterion.what.is_met(client, now) != criterion.negated;
        !(self.spare_me && client.id == own) && self.criteria.iter().all(meets)
    }
}

impl What<'_> {
    fn is_met(&self, client: &Client, now: Millis) -> bool {
        let names = || client.names();
        match self {
            What::Ids(ids) => ids.contains(&client.id),
            What::Kind(kind) => kind.admits(client),
            What::Address(address) => *address == client.address.as_bytes(),
            What::LocalAddress(address) => *address == client.local_address.as_bytes(),
            What::Ip(ip) => {
                let host = client.address.rsplit_once(':').map_or("", |(host, _)| host);
                let bare = host.trim_matches(['[', ']']);
                *ip == host.as_bytes() || *ip == bare.as_bytes()
            }
            What::DefaultUser => true,
            What::Age(secs) => now - client.created >= secs.saturating_mul(1000),
            What::Idle(secs) => now - client.last_active.load(Relaxed) >= secs.saturating_mul(1000),
            What::Name(name) => names().name == *name,
            What::LibName(name) => names().lib_name == *name,
            What::LibVersion(version) => names().lib_version == *version,
            What::Flags(letters) => {
                let has = flags(client);
                letters.iter().all(|letter| has.as_bytes().contains(letter))
            }
            What::Db(db) => i64::from(client.db.load(Relaxed)) == *db,
        }
    }
}

/// The ids from here on, at least one.
fn ids(values: Argv<'_>) -> Result<Vec<u64>, Error> {
    let mut ids = vec![client_id(values.get(0))?];
    let more = values.iter().skip(1);
    ids.extend(more.map_while(|text| client_id(text).ok()));
    Ok(ids)
}

fn client_id(text: &[u8]) -> Result<u64, Error> {
    let id = num::parse_i64(text).filter(|&id| id > 0);
    id.map(i64::unsigned_abs)
        .ok_or(Error::text("ERR client-id should be greater than 0"))
}

fn yes_or_no(value: &[u8]) -> Result<bool, Error> {
    match value {
        value if value.eq_ignore_ascii_case(b"yes") => Ok(true),
        value if value.eq_ignore_ascii_case(b"no") => Ok(false),
        _ => Err(Error::Syntax),
    }
}

fn user<'a>(name: &[u8]) -> Result<What<'a>, Error> {
    if name == DEFAULT_USER {
        return Ok(What::DefaultUser);
    }
    let text = [b"ERR No such user '", name, b"'"];
    Err(Error::Bytes(text.concat()))
}

fn seconds(text: &[u8], option: &str) -> Result<i64, Error> {
    match num::parse_i64(text) {
        Some(seconds @ 1..) => Ok(seconds),
        Some(_) => Err(Error::Text(
            format!("ERR {option} should be greater than 0").into(),
        )),
        None => {
            let text = format!("ERR {option} is not an integer or out of range");
            Err(Error::Text(text.into()))
        }
    }
}

/// The types of clients that Redis knows: those we have, and all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    PubSub,
    Absent,
}

impl Kind {
    fn read(name: &[u8]) -> Result<Kind, Error> {
        match name.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Kind::Normal),
            b"pubsub" => Ok(Kind::PubSub),
            b"slave" | b"replica" | b"master" => Ok(Kind::Absent),
            _ => {
                let text = [b"ERR Unknown client type '", name, b"'"];
                Err(Error::Bytes(text.concat()))
            }
        }
    }

    fn admits(self, client: &Client) -> bool {
        match self {
            Kind::Normal => !client.is_subscriber(),
            Kind::PubSub => client.is_subscriber(),
            Kind::Absent => false,
        }
    }
}
