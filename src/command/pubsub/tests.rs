//! Publish and subscribe by their commands, on one connection.

use crate::command::testing::Rig;
use crate::resp::Reply;

#[test]
fn replies_of_the_commands() {
    let mut rig = Rig::new();
    assert_eq!(
        rig.line("SUBSCRIBE a b a"),
        "*3 $9 subscribe $1 a :1 *3 $9 subscribe $1 b :2 *3 $9 subscribe $1 a :2"
    );
    assert_eq!(rig.line("PSUBSCRIBE p*"), "*3 $10 psubscribe $2 p* :3");
    assert_eq!(rig.line("SSUBSCRIBE s"), "*3 $10 ssubscribe $1 s :1");
    assert_eq!(rig.line("PUBSUB CHANNELS a*"), "*1 $1 a");
    assert_eq!(rig.line("PUBSUB SHARDCHANNELS"), "*1 $1 s");
    assert_eq!(rig.line("PUBSUB NUMSUB a x"), "*4 $1 a :1 $1 x :0");
    assert_eq!(rig.line("PUBSUB SHARDNUMSUB s"), "*2 $1 s :1");
    assert_eq!(rig.line("PUBSUB NUMPAT"), ":1");
    assert_eq!(rig.line("PUBLISH a 1"), ":1");
    assert_eq!(rig.line("SPUBLISH s 1"), ":1");
    assert_eq!(rig.line("SPUBLISH a 1"), ":0");
    let mut messages = Reply::default();
    rig.session.client.inbox.drain_into(&mut messages);
    assert!(messages.into_bytes().starts_with(b"*3\r\n$7\r\nmessage"));
    assert!(rig.session.only_listens);
    assert_eq!(rig.line("PING"), "*2 $4 pong $0");
    rig.line("UNSUBSCRIBE");
    rig.line("PUNSUBSCRIBE");
    assert!(rig.session.only_listens);
    assert_eq!(rig.line("SUNSUBSCRIBE"), "*3 $12 sunsubscribe $1 s :0");
    assert!(!rig.session.only_listens);
    assert_eq!(rig.line("PING"), "+PONG");
}

#[test]
fn reset_ends_subscriptions() {
    let mut rig = Rig::new();
    rig.line("SUBSCRIBE a");
    assert_eq!(rig.line("RESET"), "+RESET");
    assert_eq!(rig.line("PUBLISH a 1"), ":0");
    assert_eq!(rig.line("PING"), "+PONG");
}
