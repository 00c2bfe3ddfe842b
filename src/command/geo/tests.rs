//! Replies and error texts as Redis gives them, and BYPOLYGON as Valkey 9.1 does.

use crate::command::testing::{Rig, expect};

fn rig() -> Rig {
    let mut rig = Rig::new();
    let sicily = "GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania";
    expect(&mut rig, &[("SET text x", "+OK"), (sicily, ":2")]);
    rig
}

const SYNTAX: &str = "-ERR syntax error";

#[test]
fn single_positions() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("GEOADD s 13 38 Palermo", ":0"),
            ("GEOADD s CH 13.361389 38.115556 Palermo", ":1"),
            ("GEOADD s NX XX 1 1 a", SYNTAX),
            ("GEOADD s 1 1 a 2", SYNTAX),
            (
                "GEOADD s 200 1 a",
                "-ERR invalid longitude,latitude pair 200.000000,1.000000",
            ),
            ("GEODIST s Palermo Catania", "$11 166274.1516"),
            ("GEODIST s Palermo Catania KM", "$8 166.2742"),
            ("GEODIST s Palermo Palermo", "$6 0.0000"),
            ("GEODIST s Palermo none", "$-1"),
            (
                "GEODIST s Palermo Catania x",
                "-ERR unsupported unit provided. please use M, KM, FT, MI",
            ),
            ("GEOHASH s Palermo none", "*2 $11 sqc8b49rny0 $-1"),
            (
                "GEOPOS s Palermo none",
                "*2 *2 $20 13.36138933897018433 $20 38.11555639549629859 *-1",
            ),
        ],
    );
}

#[test]
fn areas() {
    let mut rig = rig();
    let polygon = "GEOSEARCH s BYPOLYGON 4 12 36 18 36 18 40 12 40 WITHDIST ASC";
    expect(
        &mut rig,
        &[
            ("GEORADIUS s 15 37 200 km ASC", "*2 $7 Catania $7 Palermo"),
            (
                "GEOSEARCH s FROMLONLAT 15 37 BYBOX 400 400 km COUNT 1",
                "*1 $7 Catania",
            ),
            (
                polygon,
                "*2 *2 $7 Catania $10 60049.2798 *2 $7 Palermo $11 143725.9101",
            ),
            (
                "GEOSEARCH s BYPOLYGON 2 12 36 18 36",
                "-ERR GEOSEARCH BYPOLYGON must have at least 3 vertices",
            ),
            ("GEOSEARCH s FROMLONLAT 0 0 BYPOLYGON 3 1 1 2 2 3 3", SYNTAX),
            ("GEOSEARCH s BYPOLYGON 3 1 1 2 2 3 3 BYRADIUS 1 km", SYNTAX),
            ("GEORADIUS s 15 37 200 km STORE d", ":2"),
            ("ZSCORE d Palermo", "$16 3479099956230698"),
            (
                "GEORADIUSBYMEMBER s Palermo 200 km STORE d STOREDIST e",
                ":2",
            ),
            ("ZSCORE e Palermo", "$1 0"),
            ("GEORADIUS none 15 37 200 km STORE d", ":0"),
            ("EXISTS d", ":0"),
            ("GEORADIUSBYMEMBER none m x y", "*0"),
            (
                "GEORADIUS text 15 37 200 km",
                "-WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
            (
                "GEORADIUS s 15 37 200 km ANY",
                "-ERR the ANY argument requires COUNT argument",
            ),
            (
                "GEORADIUSBYMEMBER s none 200 km",
                "-ERR could not decode requested zset member",
            ),
        ],
    );
}

#[test]
fn several_targets_are_locked_or_refused() {
    let mut rig = rig();
    for other in 0..50 {
        let line = format!("GEORADIUS s 15 37 200 km STORE a STORE b{other}");
        let reply = rig.line(&line);
        assert!(reply == ":2" || reply == SYNTAX, "{reply}");
    }
}
