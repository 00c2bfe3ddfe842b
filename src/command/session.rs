//! What a connection is to its commands. It moves into the batch and comes back
//! with it: whoever holds the session is the only one who can change it.

use std::sync::Arc;

use crate::clients::Client;

/// CLIENT REPLY's setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyMode {
    #[default]
    On,
    Off,
    /// The next reply is dropped; `Skip` becomes `SkipNow` with the next command.
    SkipNext,
    SkipNow,
}

/// The state of one connection that commands read and change.
#[derive(Debug)]
pub struct Session {
    /// The selected database.
    pub db: usize,
    /// Whether commands beyond AUTH and HELLO are open to it.
    pub authenticated: bool,
    pub reply_mode: ReplyMode,
    /// End the connection once what has been replied is sent.
    pub close: bool,
    /// What others may see of the connection.
    pub client: Arc<Client>,
}

impl Session {
    /// The session of a fresh connection.
    pub fn new(client: Arc<Client>, authenticated: bool) -> Session {
        Session {
            db: 0,
            authenticated,
            reply_mode: ReplyMode::On,
            close: false,
            client,
        }
    }
}
