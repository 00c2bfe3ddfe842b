//! `Config`: the values themselves.
//!
//! One instance is shared by all threads. Numbers, flags and choices are atomics and
//! are read in the hot path without a lock; texts stand behind a lock and are read
//! where a lock does not matter. A reader that wants a parsed list often keeps its own
//! view and renews it when `generation` has moved.
//!
//! Values are independent of each other: readers may see one half of a CONFIG SET of
//! several, but never a value its row does not admit. Writers take `changing`, so two
//! changes never mix.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard, RwLock};

use super::lists::{self, BindAddress, OutputLimits, SavePoint};
use super::schema::{COUNT, Id, Kind};
use super::value::{self, Value};
use crate::base::cgroup;

/// The value of every directive. Cheap to read from any thread.
pub struct Config {
    /// By `Id`; unused where the kind is a text or a list.
    numbers: [AtomicI64; COUNT],
    /// By `Id`; empty where the kind is a number.
    texts: RwLock<Vec<Arc<[u8]>>>,
    generation: AtomicU64,
    file: RwLock<Option<PathBuf>>,
    /// Where relative names in `include` start.
    base: RwLock<PathBuf>,
    changing: Mutex<()>,
}

impl Config {
    /// Every directive at its default.
    pub fn new() -> Config {
        let empty: Arc<[u8]> = Arc::from(&b""[..]);
        let config = Config {
            numbers: std::array::from_fn(|_| AtomicI64::new(0)),
            texts: RwLock::new(vec![empty; COUNT]),
            generation: AtomicU64::new(0),
            file: RwLock::new(None),
            base: RwLock::new(PathBuf::new()),
            changing: Mutex::new(()),
        };
        Id::all().for_each(|id| config.put(id, default_of(id)));
        config
    }

    /// A number, a size in bytes, the bits of a mode, or the index of a choice.
    pub fn int(&self, id: Id) -> i64 {
        debug_assert!(is_number(id), "{id:?} is a text");
        self.numbers[id.index()].load(Ordering::Relaxed)
    }

    /// A number that its row bounds to 0 and more.
    pub fn size(&self, id: Id) -> usize {
        usize::try_from(self.int(id)).unwrap_or(0)
    }

    /// The memory that the data may use, in bytes; 0 is no limit. A percentage is one of
    /// what the process may use now.
    pub fn max_memory(&self) -> u64 {
        match self.int(Id::MAXMEMORY) {
            bytes @ 0.. => bytes.unsigned_abs(),
            percent => share(cgroup::granted(), percent),
        }
    }

    /// `maxmemory-clients` in bytes; 0 is none. A percentage is one of `maxmemory`.
    pub fn max_client_memory(&self) -> u64 {
        match self.int(Id::MAXMEMORY_CLIENTS) {
            bytes @ 0.. => bytes.unsigned_abs(),
            percent => share(self.max_memory(), percent),
        }
    }

    /// Whether a `yes`/`no` directive says yes.
    pub fn flag(&self, id: Id) -> bool {
        self.int(id) != 0
    }

    /// The word a choice is set to.
    pub fn choice(&self, id: Id) -> &'static str {
        match id.row().kind {
            Kind::Enum(words) => words[self.int(id) as usize],
            kind => unreachable!("{id:?} is {kind:?}, not a choice"),
        }
    }

    /// A text or a list in its stored form; any bytes.
    pub fn text(&self, id: Id) -> Arc<[u8]> {
        debug_assert!(!is_number(id), "{id:?} is a number");
        self.texts.read()[id.index()].clone()
    }

    /// A text as a string; bytes that are not UTF-8 are replaced.
    pub fn string(&self, id: Id) -> String {
        String::from_utf8_lossy(&self.text(id)).into_owned()
    }

    /// A text as a path; `None` where it is empty.
    pub fn path(&self, id: Id) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStrExt;
        let text = self.text(id);
        (!text.is_empty()).then(|| PathBuf::from(std::ffi::OsStr::from_bytes(&text)))
    }

    /// The addresses to listen on.
    pub fn bind(&self) -> Vec<BindAddress> {
        lists::bind_view(&self.text(Id::BIND))
    }

    /// The limits on replies that wait to be read.
    pub fn output_limits(&self) -> OutputLimits {
        lists::output_view(&self.text(Id::CLIENT_OUTPUT_BUFFER_LIMIT))
    }

    /// When to save.
    pub fn save_points(&self) -> Vec<SavePoint> {
        lists::save_view(&self.text(Id::SAVE))
    }

    /// The percentiles of INFO latencystats, each 0 to 100.
    pub fn percentiles(&self) -> Vec<f64> {
        lists::percentiles_view(&self.text(Id::LATENCY_TRACKING_INFO_PERCENTILES))
    }

    /// Moves with every change; a view of an older generation may be stale.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The value as it is stored.
    pub fn value(&self, id: Id) -> Value {
        if is_number(id) {
            Value::Int(self.int(id))
        } else {
            Value::Text(self.text(id))
        }
    }

    /// The value as CONFIG GET shows it.
    pub fn printed(&self, id: Id) -> Vec<u8> {
        let value = self.value(id);
        match (id, &value) {
            (Id::DIR, Value::Text(dir)) if **dir == *b"." => here(),
            _ => value::print(id.row(), &value),
        }
    }

    /// Whether the value is the default.
    pub fn is_default(&self, id: Id) -> bool {
        self.value(id) == default_of(id)
    }

    /// The file the configuration was read from, which CONFIG REWRITE writes.
    pub fn file(&self) -> Option<PathBuf> {
        self.file.read().clone()
    }

    /// Names the file CONFIG REWRITE writes.
    pub fn set_file(&self, path: &Path) {
        *self.file.write() = Some(path.to_owned());
    }

    pub(super) fn base(&self) -> PathBuf {
        self.base.read().clone()
    }

    pub(super) fn set_base(&self, base: &Path) {
        *self.base.write() = base.to_owned();
    }

    /// Sets one directive from the text CONFIG SET would be given, whatever its row says
    /// of changes. For what the process finds out at start.
    ///
    /// # Errors
    /// The reason, in Redis's words.
    pub fn set(&self, id: Id, text: &[u8]) -> Result<(), String> {
        let _guard = self.lock();
        let value = self.parse(id, text)?;
        self.put(id, value);
        Ok(())
    }

    /// What the text CONFIG SET gives makes of a directive. `save` starts from nothing
    /// there; only lines of a file add up.
    pub(super) fn parse(&self, id: Id, text: &[u8]) -> Result<Value, String> {
        let present = self.value(id);
        let present: &[u8] = if id == Id::SAVE {
            b""
        } else {
            present.as_text()
        };
        value::parse_joined(id.row(), text, present)
    }

    /// Keeps other writers out.
    pub(super) fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock()
    }

    /// Stores a value that came from the parser of its row.
    pub(super) fn put(&self, id: Id, value: Value) {
        match value {
            Value::Int(number) => self.numbers[id.index()].store(number, Ordering::Relaxed),
            Value::Text(text) => self.texts.write()[id.index()] = text,
        }
        self.generation.fetch_add(1, Ordering::Release);
    }
}

impl Default for Config {
    fn default() -> Self {
        Config::new()
    }
}

/// The default of a directive. A row whose default its own parser refuses is a bug of
/// the table; a test parses them all.
pub(super) fn default_of(id: Id) -> Value {
    let row = id.row();
    match value::parse_joined(row, row.default.as_bytes(), b"") {
        Ok(value) => value,
        Err(reason) => unreachable!("default of {}: {reason}", row.name),
    }
}

fn is_number(id: Id) -> bool {
    !matches!(id.row().kind, Kind::Text(_) | Kind::List { .. })
}

/// So many percent, told as a negative number, of these bytes.
fn share(whole: u64, percent: i64) -> u64 {
    let part = u128::from(whole) * u128::from(percent.unsigned_abs()) / 100;
    u64::try_from(part).unwrap_or(u64::MAX)
}

fn here() -> Vec<u8> {
    use std::os::unix::ffi::OsStringExt;
    let dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    dir.into_os_string().into_vec()
}
