//! What the buffers of clients take, told while there is a limit on memory: they are no
//! data, and no key goes to make room for them.

use bytes::BytesMut;

use super::Reactor;

impl Reactor {
    /// Tells what the buffers of this turn take, and those that wait for a connection.
    #[inline]
    pub(super) fn note_buffers(&self) {
        if !self.executor.is_limited() {
            return;
        }
        let clients = &self.services.clients;
        for batch in &self.turn {
            clients.note_buffers(&batch.session.client, batch.own_bytes());
        }
        let inputs = self.inputs.iter().map(BytesMut::capacity);
        let outputs = self.outputs.iter().map(Vec::capacity);
        clients.note_spare(inputs.chain(outputs).sum());
    }

    /// Tells what the buffers of one connection take, if its batch is here.
    #[inline]
    pub(super) fn note_buffers_of(&self, slot: usize) {
        if self.executor.is_limited()
            && let Some(conn) = self.conns.get(slot)
            && let Some(batch) = &conn.batch
        {
            let clients = &self.services.clients;
            clients.note_buffers(&conn.client, batch.own_bytes());
        }
    }
}
