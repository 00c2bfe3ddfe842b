//! What MONITOR tells of a command: by whom it was sent, and its words.

use super::ctx::Services;
use super::redact;
use super::session::Session;
use super::spec::Flags;
use super::table::Command;
use crate::base::split;
use crate::clients::Client;
use crate::resp::Argv;

/// Tells those who monitor of a command. What only administrators use, which may carry
/// secrets, is not shown.
#[cold]
pub fn tell(services: &Services, command: &Command, argv: Argv<'_>, session: &Session) {
    if command.spec.flags.has(Flags::SKIP_MONITOR | Flags::ADMIN) {
        return;
    }
    let text = line(session.db, &session.client, &redact::shown(command, argv));
    services
        .clients
        .monitors
        .tell(&text, &services.clients.post);
}

fn line(db: usize, client: &Client, args: &[&[u8]]) -> Vec<u8> {
    let place = match client.address.strip_suffix(":0") {
        Some(path) if client.unix => format!("[{db} unix:{path}]"),
        _ => format!("[{db} {}]", client.address),
    };
    let mut line = place.into_bytes();
    for arg in args {
        line.push(b' ');
        split::push_quoted(&mut line, arg);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::{Arrival, Clients};

    #[test]
    fn a_line_tells_place_and_words() {
        let clients = Clients::default();
        let client = clients.register(Arrival {
            address: "127.0.0.1:7".to_owned(),
            ..Arrival::default()
        });
        let shown = line(3, &client, &[b"set", b"a\"b\\", b"\r\n\t\x07\x08\x01\xffy"]);
        let wanted = br#"[3 127.0.0.1:7] "set" "a\"b\\" "\r\n\t\a\b\x01\xffy""#;
        assert_eq!(shown, wanted);
        let local = clients.register(Arrival {
            address: "/run/kv.sock:0".to_owned(),
            unix: true,
            ..Arrival::default()
        });
        assert_eq!(line(0, &local, &[]), b"[0 unix:/run/kv.sock]");
    }
}
