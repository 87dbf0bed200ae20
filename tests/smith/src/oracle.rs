//! The reference as a process: requests go in and answers come out, a line
//! each, several under way at a time. One that dies or does not answer in
//! time is started anew; the request it was at has no answer. Answers can be
//! kept in a file, so that the next run asks only what is new.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;

use crate::answer::Answer;

/// How many requests may be under way: enough that neither side waits, few
/// enough that a restart repeats little.
const UNDER_WAY: usize = 16;

/// A running reference.
pub struct Oracle {
    command: String,
    timeout: Duration,
    running: Option<Running>,
    kept: Option<Kept>,
    /// How often it had to be started anew.
    pub restarts: usize,
}

/// Answers of earlier runs: a line with the request, then one with the answer.
struct Kept {
    file: File,
    answers: HashMap<String, Value>,
}

struct Running {
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Oracle {
    /// `command` is a line for `sh`; `timeout` is for one request.
    pub fn new(command: impl Into<String>, timeout: Duration) -> Self {
        Self {
            command: command.into(),
            timeout,
            running: None,
            kept: None,
            restarts: 0,
        }
    }

    /// Uses the answers in a file and adds to it; it is made if it is not there.
    pub fn keep(&mut self, path: &Path) -> Result<(), String> {
        let failed = |e: std::io::Error| format!("{}: {e}", path.display());
        let file = File::options()
            .create(true)
            .read(true)
            .append(true)
            .open(path)
            .map_err(failed)?;
        let mut answers = HashMap::new();
        let mut lines = BufReader::new(&file).lines();
        while let (Some(request), Some(answer)) = (lines.next(), lines.next()) {
            // A run that was ended in the middle of a line leaves one that cannot be read.
            if let Ok(answer) = serde_json::from_str(&answer.map_err(failed)?) {
                answers.insert(request.map_err(failed)?, answer);
            }
        }
        self.kept = Some(Kept { file, answers });
        Ok(())
    }

    fn start(&self) -> Result<Running, String> {
        // `exec`, so that ending the child ends the reference and not a shell around it.
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {}", self.command)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("`{}` cannot be run: {e}", self.command))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("no pipes".to_owned());
        };
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Running {
            child,
            input,
            answers,
        })
    }

    /// Asks all requests and gives their answers in the same order. Fails
    /// only when the reference cannot be started, or answers nothing at all.
    pub fn ask(&mut self, requests: &[Value]) -> Result<Vec<Answer>, String> {
        let mut answers: Vec<Option<Answer>> = vec![None; requests.len()];
        if let Some(kept) = &self.kept {
            for (request, answer) in requests.iter().zip(&mut answers) {
                *answer = kept.answers.get(&request.to_string()).map(Answer::from_json);
            }
        }
        let mut waiting: VecDeque<usize> = (0..requests.len()).filter(|n| answers[*n].is_none()).collect();
        let mut under_way: VecDeque<usize> = VecDeque::new();
        let mut silent = 0;
        while !waiting.is_empty() || !under_way.is_empty() {
            let mut running = match self.running.take() {
                Some(running) => running,
                None => self.start()?,
            };
            let mut broken = false;
            while under_way.len() < UNDER_WAY
                && let Some(index) = waiting.pop_front()
            {
                under_way.push_back(index);
                let mut request = requests[index].clone();
                request["id"] = index.into();
                if writeln!(running.input, "{request}").is_err() {
                    broken = true;
                    break;
                }
            }
            if !broken {
                match running.answers.recv_timeout(self.timeout) {
                    Ok(line) => {
                        let value: Value = serde_json::from_str(&line)
                            .map_err(|e| format!("the reference answered no JSON: {e}: {line}"))?;
                        let index = value["id"].as_u64().and_then(|id| usize::try_from(id).ok());
                        let Some(index) = index.filter(|id| under_way.contains(id)) else {
                            return Err(format!("the reference answered what was not asked: {line}"));
                        };
                        under_way.retain(|id| *id != index);
                        answers[index] = Some(Answer::from_json(&value));
                        if let Some(kept) = &mut self.kept {
                            let lines = format!("{}\n{value}\n", requests[index]);
                            kept.file
                                .write_all(lines.as_bytes())
                                .map_err(|e| format!("answers cannot be kept: {e}"))?;
                        }
                        silent = 0;
                        self.running = Some(running);
                        continue;
                    }
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
                }
            }
            // It answers in order, so the first under way is the one it broke on.
            drop(running);
            self.restarts += 1;
            silent += 1;
            if silent > 3 {
                return Err(format!("`{}` ends without answering", self.command));
            }
            if let Some(first) = under_way.pop_front() {
                answers[first] = Some(Answer::failure("no answer in time"));
            }
            while let Some(index) = under_way.pop_back() {
                waiting.push_front(index);
            }
        }
        Ok(answers
            .into_iter()
            .map(|a| a.unwrap_or_else(|| Answer::failure("no answer")))
            .collect())
    }
}
