//! Long work beside the locks: on images of what it needs, which are compared with
//! their originals before the outcome counts.
//!
//! ```text
//! locks held     images taken            unchanged? the outcome is of this moment
//! no locks                    computing
//! ```
//!
//! A source that has changed meanwhile has all done once more. Whoever changes one all
//! the time cannot put others off for ever: after [`ROUNDS`] vain rounds the work is
//! done under the locks.
//!
//! Only for commands that run alone in the pool, and have changed nothing yet. Inside a
//! unit the locks stay, and the work is done under them.

use super::collection::Held;
use super::db::Db;
use super::dict::{Key, Ttl};
use super::entry::{Collection, NewValue};
use super::error::Error;

/// Attempts without the locks.
const ROUNDS: usize = 3;

impl Db<'_> {
    /// What `compute` makes of images that still are what they were taken of when this
    /// returns, with the locks held as before; `None` if they changed each time, and
    /// the work is to be done here and now.
    pub fn aside<I: Send + 'static, R>(
        &mut self,
        images: impl Fn(&Db<'_>) -> Result<I, Error>,
        unchanged: impl Fn(&Db<'_>, &I) -> bool,
        mut compute: impl FnMut(&I) -> R,
    ) -> Result<Option<R>, Error> {
        if self.locks.is_pinned() {
            return Ok(None);
        }
        let footprint = self.locks.held();
        for _ in 0..ROUNDS {
            let taken = images(self)?;
            self.release();
            let result = compute(&taken);
            self.acquire(footprint);
            if unchanged(self, &taken) {
                // Letting go of an image takes as long as taking it did, or longer.
                self.effects.images.push(Box::new(taken));
                return Ok(Some(result));
            }
            self.release();
            drop((result, taken));
            self.acquire(footprint);
        }
        Ok(None)
    }

    /// Changes the collection at `key`, as [`Db::change`] does; with `much`, which
    /// says that it takes long, an image of it is changed beside the locks and takes
    /// its place. Then `change` may be called again, and is not to keep anything of the
    /// time before.
    pub(super) fn change_much<T: Collection + Send + 'static, R>(
        &mut self,
        key: Key<'_>,
        much: bool,
        mut change: impl FnMut(&mut T) -> R,
    ) -> Result<Option<R>, Error> {
        if much {
            let image = |db: &Db<'_>| -> Result<Option<T>, Error> {
                let held: Option<Held<'_, T>> = db.peek_collection(key)?;
                Ok(held.map(|value| value.image()))
            };
            let unchanged = |db: &Db<'_>, image: &Option<T>| match (db.peek_collection(key), image)
            {
                (Ok(Some(value)), Some(image)) => T::is_as(&value, image),
                (Ok(None), None) => true,
                _ => false,
            };
            let done = self.aside(image, unchanged, |image| {
                let mut changed = image.as_ref()?.image();
                let result = change(&mut changed);
                Some((changed, result))
            })?;
            if let Some(done) = done {
                return Ok(done.map(|(changed, result)| {
                    self.put(key, NewValue::collection(changed), Ttl::Keep);
                    result
                }));
            }
        }
        self.change(key, change)
    }
}
