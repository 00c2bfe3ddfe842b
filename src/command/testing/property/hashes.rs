//! Random commands on hashes.

use super::Stream;

impl Stream {
    fn field(&mut self) -> String {
        match self.rng.below(6) {
            0 => self.int(-3, 3).to_string(),
            1 => "n".repeat(self.int(62, 66) as usize),
            _ => format!("f{}", self.rng.below(6)),
        }
    }

    /// One to three fields with `FIELDS` and their number, with values if asked for.
    fn block(&mut self, values: bool) -> String {
        let count = self.int(1, 3);
        let mut block = format!("FIELDS {count}");
        for _ in 0..count {
            block = format!("{block} {}", self.field());
            if values {
                block = format!("{block} {}", self.value());
            }
        }
        block
    }

    pub(super) fn hash(&mut self) -> String {
        let (key, field, value) = (self.key(), self.field(), self.value());
        match self.rng.below(16) {
            0..=2 => format!("HSET {key} {field} {value} {} x f1 7", self.field()),
            3 => format!("HSETNX {key} {field} {value}"),
            4 => format!("HGET {key} {field}"),
            5 => format!("HMGET {key} {field} {} f1", self.field()),
            6 => format!("HLEN {key}"),
            7 => format!("HEXISTS {key} {field}"),
            8 => format!("HSTRLEN {key} {field}"),
            9 => format!("HDEL {key} {field} {}", self.field()),
            10 => format!("HINCRBY {key} {field} {}", self.int(-9, 9)),
            _ => self.hash_expiry(),
        }
    }

    fn hash_expiry(&mut self) -> String {
        let (key, ttl) = (self.key(), self.ttl());
        match self.rng.below(10) {
            0..=2 => {
                let condition = self.pick(&["", "NX", "XX", "GT", "LT"]);
                format!("HPEXPIRE {key} {ttl} {condition} {}", self.block(false))
            }
            3 => format!("HPERSIST {key} {}", self.block(false)),
            4 => format!("HPTTL {key} {}", self.block(false)),
            5 => format!("HGETEX {key} PX {ttl} {}", self.block(false)),
            6 => format!("HGETEX {key} PERSIST {}", self.block(false)),
            7 => format!("HGETDEL {key} {}", self.block(false)),
            8 => {
                let condition = self.pick(&["", "FNX", "FXX"]);
                format!("HSETEX {key} {condition} PX {ttl} {}", self.block(true))
            }
            _ => {
                let keep = self.pick(&["", "KEEPTTL"]);
                format!("HSETEX {key} {keep} {}", self.block(true))
            }
        }
    }
}
