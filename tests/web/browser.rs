//! A headless Chromium that is told what to do through two pipes: messages of the
//! DevTools protocol, JSON that ends in a NUL. No more of JSON is understood here than
//! an id and a string.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A browser with one page. Dropping it ends the process.
pub struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    session: String,
    next_id: u64,
}

impl Browser {
    /// Starts the browser and opens a page. What it keeps, it keeps in `dir`.
    pub fn open(program: &Path, dir: &Path, url: &str) -> Browser {
        let (to, from) = (fifo(dir, "to-browser"), fifo(dir, "from-browser"));
        // The browser reads descriptor 3 and writes descriptor 4.
        let script = "exec \"$0\" \"$@\" 3<\"$TO\" 4>\"$FROM\"";
        let child = Command::new("sh")
            .args(["-c", script])
            .arg(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", dir.join("browser").display()))
            .arg("about:blank")
            .env("TO", &to)
            .env("FROM", &from)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        // The shell opens both in this order, and each waits for its other end.
        let to = OpenOptions::new()
            .write(true)
            .open(to)
            .expect("the pipe to the browser");
        let from = File::open(from).expect("the pipe from the browser");
        let mut browser = Browser {
            child,
            to,
            from: BufReader::new(from),
            session: String::new(),
            next_id: 0,
        };
        let made = browser.call("Target.createTarget", &format!("{{\"url\":\"{url}\"}}"));
        let target = string_of(&made, "targetId").expect("a page");
        let attach = format!("{{\"targetId\":\"{target}\",\"flatten\":true}}");
        let attached = browser.call("Target.attachToTarget", &attach);
        browser.session = string_of(&attached, "sessionId").expect("a session");
        browser
    }

    /// The value of an expression as text; empty if it has none yet.
    pub fn evaluate(&mut self, expression: &str) -> String {
        let quoted = expression.replace('\\', "\\\\").replace('"', "\\\"");
        let answer = self.call(
            "Runtime.evaluate",
            &format!("{{\"expression\":\"{quoted}\"}}"),
        );
        string_of(&answer, "value").unwrap_or_default()
    }

    /// Sends a request and waits for its answer, passing over events.
    fn call(&mut self, method: &str, params: &str) -> String {
        self.next_id += 1;
        let session = match self.session.as_str() {
            "" => String::new(),
            session => format!("\"sessionId\":\"{session}\","),
        };
        let id = self.next_id;
        let request =
            format!("{{\"id\":{id},{session}\"method\":\"{method}\",\"params\":{params}}}\0");
        self.to
            .write_all(request.as_bytes())
            .expect("the browser reads");
        let answer_start = format!("{{\"id\":{id},");
        loop {
            let mut message = Vec::new();
            let read = self
                .from
                .read_until(0, &mut message)
                .expect("the browser writes");
            assert!(read > 0, "the browser has ended");
            let message = String::from_utf8_lossy(&message);
            if message.starts_with(&answer_start) {
                return message.into_owned();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fifo(dir: &Path, name: &str) -> PathBuf {
    let path = dir.join(name);
    let made = Command::new("mkfifo")
        .arg(&path)
        .status()
        .expect("mkfifo runs");
    assert!(made.success(), "mkfifo {}", path.display());
    path
}

/// The string behind the first such name; the few escapes that occur are left alone.
fn string_of(json: &str, name: &str) -> Option<String> {
    let start = json.find(&format!("\"{name}\":\""))? + name.len() + 4;
    let text = &json[start..];
    let end = text.find('"')?;
    Some(text[..end].to_owned())
}
