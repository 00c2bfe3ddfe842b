//! Rows: where the server listens, and how a connection is kept.

use super::{INT_MAX, UINT_MAX, choice, flag, int, list, row, rows, ruled, text};
use crate::config::schema::Kind;
use crate::config::{lists, value};

rows! {
    from 0;

    "Network" {
        /// Addresses to listen on, at most 16, separated by spaces. `*` stands for every
        /// IPv4 address and `::*` for every IPv6 address. An address with a leading `-`
        /// may be missing on this machine without being an error. Empty: no TCP at all.
        BIND = list("bind", lists::bind, "127.0.0.1 -::1");
        /// The TCP port; 0 listens on none.
        PORT = int("port", 0, 65535, "6379");
        /// Path of a Unix socket to listen on as well; empty for none.
        UNIXSOCKET = text("unixsocket", "").immutable();
        /// Permission bits of the Unix socket, in octal; 0 leaves them to the umask.
        UNIXSOCKETPERM = row("unixsocketperm", Kind::Octal { max: 0o777 }, "0").immutable();
        /// Connections the kernel may hold that have not been accepted yet.
        TCP_BACKLOG = int("tcp-backlog", 0, INT_MAX, "511").immutable();
        /// Close a connection that has been idle for this many seconds; 0 never does.
        TIMEOUT = int("timeout", 0, INT_MAX, "0");
        /// Seconds of silence before the kernel probes whether the peer is still there;
        /// 0 turns the probes off.
        TCP_KEEPALIVE = int("tcp-keepalive", 0, INT_MAX, "300");
        /// Refuse clients from other machines while no password is set.
        PROTECTED_MODE = flag("protected-mode", "yes");
        /// The local address that outgoing connections leave from.
        BIND_SOURCE_ADDR = text("bind-source-addr", "").inert(NO_REPLICATION);
        /// A mark on listening sockets, for the packet filter.
        SOCKET_MARK_ID = int("socket-mark-id", 0, UINT_MAX, "0").immutable()
            .inert("let the service manager or the packet filter mark the traffic");
        /// New connections accepted in one turn of the loop.
        MAX_NEW_CONNECTIONS_PER_CYCLE = int("max-new-connections-per-cycle", 1, 1000, "10")
            .inert("each turn accepts a bounded number of connections already");
        /// New TLS connections accepted in one turn of the loop.
        MAX_NEW_TLS_CONNECTIONS_PER_CYCLE = int("max-new-tls-connections-per-cycle", 1, 1000, "1")
            .inert(NO_TLS);
    }

    "TLS" {
        /// The port that speaks TLS; 0 for none.
        TLS_PORT = int("tls-port", 0, 65535, "0").inert(NO_TLS);
        /// The server's certificate chain, a PEM file.
        TLS_CERT_FILE = text("tls-cert-file", "").inert(NO_TLS);
        /// The private key of the certificate, a PEM file.
        TLS_KEY_FILE = text("tls-key-file", "").inert(NO_TLS);
        /// The pass phrase of the private key.
        TLS_KEY_FILE_PASS = text("tls-key-file-pass", "").sensitive().inert(NO_TLS);
        /// The certificate shown on outgoing connections.
        TLS_CLIENT_CERT_FILE = text("tls-client-cert-file", "").inert(NO_TLS);
        /// The private key of that certificate.
        TLS_CLIENT_KEY_FILE = text("tls-client-key-file", "").inert(NO_TLS);
        /// The pass phrase of that key.
        TLS_CLIENT_KEY_FILE_PASS = text("tls-client-key-file-pass", "").sensitive().inert(NO_TLS);
        /// Diffie-Hellman parameters.
        TLS_DH_PARAMS_FILE = text("tls-dh-params-file", "").inert(NO_TLS);
        /// The authorities that client certificates are checked against, one file.
        TLS_CA_CERT_FILE = text("tls-ca-cert-file", "").inert(NO_TLS);
        /// The same, a directory.
        TLS_CA_CERT_DIR = text("tls-ca-cert-dir", "").inert(NO_TLS);
        /// Whether clients must show a certificate.
        TLS_AUTH_CLIENTS = choice("tls-auth-clients", &["no", "yes", "optional"], "yes")
            .inert(NO_TLS);
        /// Whether the replication link uses TLS.
        TLS_REPLICATION = flag("tls-replication", "no").inert(NO_TLS);
        /// Whether the cluster bus uses TLS.
        TLS_CLUSTER = flag("tls-cluster", "no").inert(NO_TLS);
        /// Versions of the protocol to offer.
        TLS_PROTOCOLS = text("tls-protocols", "").inert(NO_TLS);
        /// Cipher suites up to TLS 1.2.
        TLS_CIPHERS = text("tls-ciphers", "").inert(NO_TLS);
        /// Cipher suites of TLS 1.3.
        TLS_CIPHERSUITES = text("tls-ciphersuites", "").inert(NO_TLS);
        /// Whether the server's order of ciphers counts, not the client's.
        TLS_PREFER_SERVER_CIPHERS = flag("tls-prefer-server-ciphers", "no").inert(NO_TLS);
        /// Whether sessions are kept for a quick return.
        TLS_SESSION_CACHING = flag("tls-session-caching", "yes").inert(NO_TLS);
        /// Sessions kept.
        TLS_SESSION_CACHE_SIZE = int("tls-session-cache-size", 0, INT_MAX, "20480").inert(NO_TLS);
        /// Seconds a session is kept.
        TLS_SESSION_CACHE_TIMEOUT = int("tls-session-cache-timeout", 0, INT_MAX, "300")
            .inert(NO_TLS);
    }

    "General" {
        /// Run in the background, detached from the terminal. Under systemd leave it off.
        DAEMONIZE = flag("daemonize", "no").immutable();
        /// Tell the service manager when the server is ready: `systemd` through
        /// NOTIFY_SOCKET, `upstart` by stopping itself, `auto` by what the environment shows.
        SUPERVISED = choice("supervised", &["upstart", "systemd", "auto", "no"], "no").immutable();
        /// Write the process id to this file and remove it at the end. Empty: no file,
        /// unless `daemonize` is on; then /var/run/flashkv.pid.
        PIDFILE = text("pidfile", "").immutable();
        /// The working directory: relative paths of the log and of data files start here.
        DIR = ruled("dir", value::directory, ".").protected();
        /// How many databases SELECT can choose from, 1 to 16.
        DATABASES = int("databases", 1, 16, "16").immutable();
    }
}

const NO_TLS: &str = "this build has no TLS; put a TLS proxy in front of the server";
const NO_REPLICATION: &str = "there is no replication";
