//! A long hunt on a terminal: a bar with rate and remaining time, and Ctrl-C.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::Arc,
    time::Duration,
};

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rulec_driver::hunt::{Listener, Progress, State};

use crate::STOPPED;

/// What a hunt is told with: its output goes to standard output as it comes,
/// and a bar to standard error if that is a terminal.
pub(crate) struct Terminal {
    bar: Option<ProgressBar>,
}

/// Steps of the bar.
const STEPS: u64 = 1_000;
/// Hunts that are done before this show no bar.
const PATIENCE: Duration = Duration::from_millis(500);

impl Terminal {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = (!quiet && io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar }
    }

    /// Takes the bar away.
    pub(crate) fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Listener for Terminal {
    fn output(&mut self, text: &str) -> io::Result<()> {
        let write = || {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()
        };
        match &self.bar {
            // Both may be the same terminal.
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn tick(&mut self, state: &State) {
        let Some(bar) = &self.bar else { return };
        if state.elapsed < PATIENCE {
            return;
        }
        bar.set_position((state.share * STEPS as f64) as u64);
        bar.set_message(message(state));
    }
}

/// "1.2 GiB, 310 MB/s, 1.1 M events/s, 12 of 30 rules, 40 seconds left".
fn message(state: &State) -> String {
    let seconds = state.elapsed.as_secs_f64().max(0.001);
    let rate = |n: u64| (n as f64 / seconds) as u64;
    let mut parts = Vec::new();
    if state.bytes > 0 {
        parts.push(HumanBytes(state.bytes).to_string());
        parts.push(format!("{:.0} MB/s", state.bytes as f64 / seconds / 1e6));
    }
    if state.rows > 0 {
        parts.push(format!("{} events/s", HumanCount(rate(state.rows))));
    }
    parts.push(if state.running {
        format!("{} of {} rules", state.done, state.rules)
    } else {
        "looking for the newest event".to_owned()
    });
    // How long relating takes after the last byte, nobody knows.
    if state.running && state.share > 0.01 && state.share < 0.985 {
        let left = seconds * (1.0 - state.share) / state.share;
        parts.push(format!("{} left", HumanDuration(Duration::from_secs_f64(left))));
    }
    parts.join(", ")
}

/// Ctrl-C stops the hunt, which then puts out what it has; a second one ends
/// the program at once.
pub(crate) fn stop_on_interrupt(progress: &Arc<Progress>) {
    let progress = Arc::clone(progress);
    // It fails only when somebody handles the signal already.
    let _ = ctrlc::set_handler(move || {
        if progress.is_cancelled() {
            std::process::exit(i32::from(STOPPED));
        }
        progress.cancel();
        let _ = writeln!(io::stderr(), "\nstopping; again to stop at once");
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_rate_and_time() {
        let state = State {
            bytes: 300_000_000,
            rows: 1_000_000,
            done: 3,
            rules: 30,
            share: 0.25,
            elapsed: Duration::from_secs(2),
            running: true,
        };
        let text = message(&state);
        assert_eq!(
            text,
            "286.10 MiB, 150 MB/s, 500,000 events/s, 3 of 30 rules, 6 seconds left"
        );
    }
}
