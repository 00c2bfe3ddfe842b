//! Directives that are looked at in every turn, renewed when one has changed.

use std::time::Duration;

use crate::config::Id;
use crate::config::lists::OutputLimits;
use crate::exec::Services;

/// See the head of this file.
pub(super) struct Cached {
    pub generation: u64,
    pub bulk_max: i64,
    pub query_max: usize,
    pub output: OutputLimits,
    pub client_bytes_max: u64,
    pub spin: Duration,
}

impl Cached {
    pub(super) fn read(services: &Services) -> Cached {
        let config = &services.config;
        let output = config.output_limits();
        let post = &services.clients.post;
        post.set_limits(output.pubsub.hard, output.normal.hard);
        Cached {
            generation: config.generation(),
            bulk_max: config.int(Id::PROTO_MAX_BULK_LEN),
            query_max: config.size(Id::CLIENT_QUERY_BUFFER_LIMIT),
            output,
            client_bytes_max: config.max_client_memory(),
            spin: Duration::from_micros(config.int(Id::SPIN_US).max(0) as u64),
        }
    }
}
