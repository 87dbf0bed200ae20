//! Alerts over time, by severity: the bars of a drawing.
//!
//! In: times and severities. Out: places in a drawing of fixed size, with the
//! words that stand beside them. The template draws.

use rulec_functions::text::print_datetime;
use serde::Serialize;

/// Severities from the most urgent on, as alerts name them.
pub(super) const SEVERITIES: [&str; 4] = ["high", "medium", "low", "informational"];

/// Size of the drawing, and the room around its bars.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;

/// Bars at most.
const MOST: i64 = 60;

const SECOND: i64 = 10_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How much time a bar may stand for, and how that is said.
const WIDTHS: [(i64, &str); 20] = [
    (SECOND, "second"),
    (5 * SECOND, "5 seconds"),
    (15 * SECOND, "15 seconds"),
    (30 * SECOND, "30 seconds"),
    (MINUTE, "minute"),
    (5 * MINUTE, "5 minutes"),
    (15 * MINUTE, "15 minutes"),
    (30 * MINUTE, "30 minutes"),
    (HOUR, "hour"),
    (3 * HOUR, "3 hours"),
    (6 * HOUR, "6 hours"),
    (12 * HOUR, "12 hours"),
    (DAY, "day"),
    (2 * DAY, "2 days"),
    (7 * DAY, "week"),
    (30 * DAY, "30 days"),
    (90 * DAY, "90 days"),
    (365 * DAY, "365 days"),
    (3_650 * DAY, "10 years of 365 days"),
    (73_000 * DAY, "200 years of 365 days"),
];

/// The drawing.
#[derive(Debug, Serialize)]
pub(super) struct Timeline {
    width: f64,
    height: f64,
    /// The line under the bars, and its ends.
    base: f64,
    left: f64,
    right: f64,
    /// "hour": what a bar stands for.
    each: &'static str,
    bars: Vec<Bar>,
    /// Words under the bars.
    times: Vec<Tick>,
    /// Numbers beside the bars.
    counts: Vec<Tick>,
}

/// One piece of a bar.
#[derive(Debug, Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    severity: &'static str,
    count: usize,
    /// When it begins.
    time: String,
}

/// A word at a place.
#[derive(Debug, Serialize)]
struct Tick {
    at: f64,
    text: String,
}

/// The drawing of alerts at these times; none where there are none.
pub(super) fn timeline(alerts: &[(i64, &str)]) -> Option<Timeline> {
    let first = alerts.iter().map(|(time, _)| *time).min()?;
    let last = alerts.iter().map(|(time, _)| *time).max()?;
    let (width, each) = WIDTHS
        .iter()
        .find(|(width, _)| last / width - first / width < MOST)
        .copied()
        .unwrap_or(WIDTHS[WIDTHS.len() - 1]);
    // Room on both sides, so that a single bar is no wall.
    let start = first / width - 1;
    let slots = usize::try_from(last / width - start + 2).unwrap_or(1).max(12);
    let mut counts = vec![[0_usize; SEVERITIES.len()]; slots];
    for (time, severity) in alerts {
        let slot = usize::try_from(time / width - start).unwrap_or(0).min(slots - 1);
        let severity = SEVERITIES.iter().position(|s| s == severity).unwrap_or(3);
        counts[slot][severity] += 1;
    }
    let most = counts.iter().map(|slot| slot.iter().sum::<usize>()).max()?;
    let top = nice(most);
    let (inner, tall) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    let step = inner / slots as f64;
    let base = HEIGHT - BOTTOM;
    let mut bars = Vec::new();
    for (slot, severities) in counts.iter().enumerate() {
        let mut y = base;
        // The most urgent stands at the bottom, where bars are compared.
        for (severity, count) in SEVERITIES.iter().zip(severities) {
            if *count == 0 {
                continue;
            }
            let height = tall * *count as f64 / top as f64;
            y -= height;
            bars.push(Bar {
                x: round(LEFT + slot as f64 * step + step * 0.1),
                y: round(y),
                width: round(step * 0.8),
                height: round(height),
                severity,
                count: *count,
                time: time(start.saturating_add(slot as i64).saturating_mul(width), width),
            });
        }
    }
    let every = slots.div_ceil(6).max(1);
    let times = (0..slots)
        .step_by(every)
        .filter(|slot| slot + every / 2 < slots)
        .map(|slot| Tick {
            at: round(LEFT + (slot as f64 + 0.5) * step),
            text: time(start.saturating_add(slot as i64).saturating_mul(width), width),
        });
    let counts = [0, top / 2, top]
        .into_iter()
        .filter(|count| *count == 0 || *count == top || top.is_multiple_of(2))
        .map(|count| Tick {
            at: round(base - tall * count as f64 / top as f64),
            text: count.to_string(),
        });
    Some(Timeline {
        width: WIDTH,
        height: HEIGHT,
        base,
        left: LEFT,
        right: WIDTH - RIGHT,
        each,
        bars,
        times: times.collect(),
        counts: counts.collect(),
    })
}

/// The least of 1, 2, 4, 6, 10, 20, 40, 60, 100, … that is not below a number.
fn nice(most: usize) -> usize {
    let mut tens = 1_usize;
    loop {
        for digit in [1, 2, 4, 6] {
            let candidate = digit * tens;
            if candidate >= most {
                return candidate;
            }
        }
        tens = tens.saturating_mul(10);
    }
}

/// Two digits behind the point: the same bytes on every machine.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// A time as exact as bars of some width are.
fn time(ticks: i64, width: i64) -> String {
    let text = print_datetime(ticks.max(0));
    let end = match width {
        width if width >= DAY => 10,
        width if width >= MINUTE => 16,
        _ => 19,
    };
    text.get(..end).unwrap_or(&text).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_for_times() {
        let noon = rulec_functions::text::parse_datetime("2026-01-15T12:00:00Z").unwrap();
        let alerts = [
            (noon, "high"),
            (noon + HOUR, "low"),
            (noon + HOUR, "low"),
            (noon + 30 * HOUR, "high"),
        ];
        let drawing = timeline(&alerts).unwrap();
        assert_eq!(drawing.each, "hour");
        let bars = drawing
            .bars
            .iter()
            .map(|bar| (bar.severity, bar.count, bar.time.as_str()))
            .collect::<Vec<_>>();
        assert_eq!(
            bars,
            [
                ("high", 1, "2026-01-15 12:00"),
                ("low", 2, "2026-01-15 13:00"),
                ("high", 1, "2026-01-16 18:00"),
            ]
        );
        let within = |bar: &Bar| {
            bar.x >= LEFT && bar.x + bar.width <= WIDTH - RIGHT && bar.y >= TOP && bar.height > 0.0
        };
        assert!(drawing.bars.iter().all(within));
        assert!(timeline(&[]).is_none());
        // As far apart as times can be, and all at once.
        assert!(timeline(&[(0, "low"), (i64::MAX, "low")]).unwrap().bars.len() == 2);
        assert_eq!(
            timeline(&vec![(noon, "high"); 1000]).unwrap().counts[2].text,
            "1000"
        );
    }
}
