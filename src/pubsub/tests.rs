//! The registry and the way of messages, without sockets.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::*;
use crate::clients::{Arrival, Clients};
use crate::resp::Version;

/// A client whose connection has this token.
fn register(clients: &Clients, token: u64) -> Arc<Client> {
    let client = clients.register(Arrival::default());
    client.token.store(token, Relaxed);
    client
}

/// What a client's inbox holds.
fn mail(client: &Client) -> String {
    let mut reply = Reply::default();
    client.inbox.drain_into(&mut reply);
    String::from_utf8(reply.into_bytes().to_vec()).expect("the tests send text")
}

fn subscribe(pubsub: &PubSub, client: &Arc<Client>, kind: Kind, names: &[&str]) -> String {
    let mut reply = Reply::default();
    let names = names.iter().map(|name| name.as_bytes());
    pubsub.subscribe(client, kind, names, true, &mut reply);
    String::from_utf8(reply.into_bytes().to_vec()).expect("the tests send text")
}

fn unsubscribe(pubsub: &PubSub, client: &Arc<Client>, kind: Kind, names: &[&str]) -> String {
    let mut reply = Reply::default();
    let given = (!names.is_empty()).then(|| names.iter().map(|name| name.as_bytes()));
    pubsub.unsubscribe(client, kind, given, true, &mut reply);
    String::from_utf8(reply.into_bytes().to_vec()).expect("the tests send text")
}

#[test]
fn a_message_goes_to_channel_and_matching_patterns() {
    let (clients, pubsub) = (Clients::default(), PubSub::default());
    let (a, b) = (register(&clients, 1), register(&clients, 2));
    subscribe(&pubsub, &a, Kind::Channel, &["news"]);
    subscribe(&pubsub, &b, Kind::Pattern, &["n*", "x*"]);
    subscribe(&pubsub, &b, Kind::Shard, &["news"]);
    assert_eq!(pubsub.sizes(), [1, 2, 1]);
    assert_eq!(pubsub.publish(&clients.post, b"news", b"hi"), 2);
    assert_eq!(pubsub.publish(&clients.post, b"old", b"hi"), 0);
    assert_eq!(
        mail(&a),
        "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    );
    let expected = "*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n";
    assert_eq!(mail(&b), expected);
    b.inbox.switch(Version::Resp3, &mut Reply::default());
    assert_eq!(pubsub.publish_shard(&clients.post, b"news", b"hi"), 1);
    assert_eq!(
        mail(&b),
        ">3\r\n$8\r\nsmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    );
    let mut tokens = Vec::new();
    clients.post.collect(&mut tokens);
    assert_eq!(tokens, [1, 2, 2], "listed once for each time it had none");
}

#[test]
fn messages_stand_before_the_confirmation_that_ends_them() {
    let (clients, pubsub) = (Clients::default(), PubSub::default());
    let a = register(&clients, 1);
    let one = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
    assert_eq!(subscribe(&pubsub, &a, Kind::Channel, &["c"]), one);
    pubsub.publish(&clients.post, b"c", b"1");
    let text = unsubscribe(&pubsub, &a, Kind::Channel, &[]);
    let message = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\n1\r\n";
    let end = "*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n";
    assert_eq!(text, [message, end].concat());
    assert_eq!(pubsub.publish(&clients.post, b"c", b"2"), 0);
    assert_eq!(mail(&a), "");
    let none = "*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:0\r\n";
    assert_eq!(unsubscribe(&pubsub, &a, Kind::Pattern, &[]), none);
    assert_eq!(pubsub.sizes(), [0, 0, 0]);
}

#[test]
fn who_has_gone_leaves_nothing_and_gets_nothing() {
    let (clients, pubsub) = (Clients::default(), PubSub::default());
    let (a, b) = (register(&clients, 1), register(&clients, 2));
    subscribe(&pubsub, &a, Kind::Channel, &["x", "y"]);
    subscribe(&pubsub, &b, Kind::Channel, &["y"]);
    pubsub.forget(&a);
    subscribe(&pubsub, &a, Kind::Pattern, &["late"]);
    assert_eq!(pubsub.sizes(), [1, 0, 0]);
    assert_eq!(pubsub.listeners(Kind::Channel, b"y"), 1);
    assert!(!a.is_subscriber() && b.is_subscriber());
    let names = pubsub.names(Kind::Channel, |_| true);
    assert_eq!(names, [Arc::from(&b"y"[..])]);
}

#[test]
fn an_inbox_is_bounded_and_tells_so() {
    let (clients, pubsub) = (Clients::default(), PubSub::default());
    let a = register(&clients, 1);
    clients.post.set_limits(1000, 0);
    subscribe(&pubsub, &a, Kind::Channel, &["c"]);
    for _ in 0..100 {
        pubsub.publish(&clients.post, b"c", &[b'x'; 100]);
    }
    assert!(a.inbox.is_overrun());
    let held = mail(&a).len();
    assert!((800..=1000).contains(&held), "{held}");
}

/// Every subscriber sees what two publishers send in one order.
#[test]
fn all_subscribers_see_one_order() {
    const MESSAGES: usize = 2000;
    let (clients, pubsub) = (Clients::default(), PubSub::default());
    let subscribers: Vec<_> = (0..8).map(|n| register(&clients, n)).collect();
    for (n, subscriber) in subscribers.iter().enumerate() {
        let kind = [Kind::Channel, Kind::Pattern][n % 2];
        subscribe(&pubsub, subscriber, kind, &["c"]);
    }
    let sent = AtomicUsize::new(0);
    let mut seen = vec![String::new(); subscribers.len()];
    std::thread::scope(|scope| {
        for publisher in 0..2 {
            let (pubsub, clients, sent) = (&pubsub, &clients, &sent);
            scope.spawn(move || {
                for n in 0..MESSAGES {
                    let text = format!("{publisher}:{n}");
                    pubsub.publish(&clients.post, b"c", text.as_bytes());
                    sent.fetch_add(1, Relaxed);
                }
            });
        }
        // Meanwhile somebody delivers.
        while sent.load(Relaxed) < 2 * MESSAGES {
            for (text, subscriber) in seen.iter_mut().zip(&subscribers) {
                text.push_str(&mail(subscriber));
            }
        }
    });
    let texts = seen.iter_mut().zip(&subscribers).map(|(text, subscriber)| {
        text.push_str(&mail(subscriber));
        let words: Vec<&str> = text.lines().filter(|line| line.contains(':')).collect();
        words.join(" ")
    });
    let texts: Vec<String> = texts.collect();
    assert_eq!(texts[0].split(' ').count(), 2 * MESSAGES);
    assert!(texts.iter().all(|text| *text == texts[0]));
}
