//! Reading a golden script, and writing it back with other replies.

use std::fs;
use std::path::Path;

use super::Replies;

/// The expectation that the connection ends.
pub const CLOSED: &str = "closed";

/// What stands for "any reply lines" while a script is being written: a step that
/// has not been recorded yet.
const UNKNOWN: &str = "...";

/// A file of sections.
pub struct Script {
    pub name: String,
    pub sections: Vec<Section>,
    lines: Vec<String>,
}

/// Steps that share connections and start from empty databases.
#[derive(Default)]
pub struct Section {
    pub resp3: bool,
    pub only_flashkv: bool,
    /// The directives of a server of its own.
    pub server: Option<Vec<String>>,
    pub steps: Vec<Step>,
}

/// A command and its reply.
pub struct Step {
    /// Where the command stands, from 0.
    pub line: usize,
    pub connection: u8,
    pub command: String,
    pub expected: Vec<String>,
}

impl Step {
    /// Whether its reply has still to be recorded.
    pub fn is_new(&self) -> bool {
        self.expected.first().is_some_and(|line| line == UNKNOWN)
    }

    /// Whether the command gets past the gates: it is not refused for its name,
    /// its arity or for want of a password.
    pub fn reaches_its_handler(&self) -> bool {
        let refusals = ["-ERR wrong number of arguments", "-ERR unknown", "-NOAUTH"];
        let first = self.expected.first().map_or("", String::as_str);
        !refusals.iter().any(|refusal| first.starts_with(refusal))
    }
}

impl Script {
    /// Reads a script.
    ///
    /// # Panics
    /// With file and line, when it makes no sense.
    pub fn read(path: &Path) -> Script {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut script = Script {
            name: name.into_owned(),
            sections: vec![Section::default()],
            lines: text.lines().map(str::to_string).collect(),
        };
        for number in 0..script.lines.len() {
            let line = script.lines[number].trim().to_string();
            if let Err(reason) = script.take(number, &line) {
                panic!("{}:{}: {reason}", script.name, number + 1);
            }
        }
        script
    }

    fn take(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.is_empty() || is_comment(line) {
            return Ok(());
        }
        if line.starts_with("== ") {
            self.sections.push(Section::default());
            return Ok(());
        }
        let section = self.sections.last_mut().ok_or("no section")?;
        if let Some(switch) = line.strip_prefix('@') {
            return section.switch(switch);
        }
        if let Some((connection, command)) = command_line(line) {
            section.steps.push(Step {
                line: number,
                connection,
                command: command.to_string(),
                expected: Vec::new(),
            });
            return Ok(());
        }
        let step = section.steps.last_mut().ok_or("a reply before a command")?;
        step.expected.push(line.to_string());
        Ok(())
    }

    /// The script's text with the replies of some steps replaced.
    pub fn with_replies(&self, replies: &Replies) -> String {
        let mut text = String::new();
        let mut dropping = false;
        for (number, line) in self.lines.iter().enumerate() {
            let trimmed = line.trim();
            let is_reply = !(trimmed.is_empty()
                || is_comment(trimmed)
                || trimmed.starts_with("== ")
                || trimmed.starts_with('@')
                || command_line(trimmed).is_some());
            if is_reply && dropping {
                continue;
            }
            dropping = false;
            text.push_str(line);
            text.push('\n');
            if let Some(lines) = replies.get(&number) {
                lines.iter().for_each(|line| {
                    text.push_str(line);
                    text.push('\n');
                });
                dropping = true;
            }
        }
        text
    }
}

impl Section {
    fn switch(&mut self, switch: &str) -> Result<(), String> {
        let (name, rest) = switch.split_once(' ').unwrap_or((switch, ""));
        match (name, rest) {
            ("resp3", "") => self.resp3 = true,
            ("flashkv", reason) if !reason.is_empty() => self.only_flashkv = true,
            ("server", words) => {
                let words = words.split_ascii_whitespace().map(str::to_string);
                self.server = Some(words.collect());
            }
            _ => return Err(format!("no such switch, or no reason: @{switch}")),
        }
        Ok(())
    }
}

/// `# text`; a truth value of RESP3 (`#t`) has no blank.
fn is_comment(line: &str) -> bool {
    line == "#" || line.starts_with("# ")
}

/// `> COMMAND` or `2> COMMAND`; a push of RESP3 (`>2`) has no blank.
fn command_line(line: &str) -> Option<(u8, &str)> {
    let (number, command) = line.split_once("> ")?;
    match number {
        "" => Some((1, command)),
        _ => Some((number.parse().ok()?, command)),
    }
}
