//! A query as a drawing: the main pipeline from top to bottom, let bindings
//! beside it, lines where one flows into another.
//!
//! In: an explanation. Out: SVG whose colours are the page's classes, whose
//! boxes are links to the stages, and which says in words what it shows.

use std::{collections::BTreeSet, fmt::Write as _};

use rulec_explain::{
    Explanation,
    explanation::{Binding, Stage},
};
use rulec_kql::{TokenKind, lexer};

use crate::html::{cut, escape};

/// Width of a box of the main pipeline.
const MAIN: usize = 440;
/// Height of a box of the main pipeline.
const HIGH: usize = 50;
/// Between two boxes.
const GAP: usize = 22;
/// From the main pipeline's left edge to the frame of a binding around it.
const FRAME: usize = 12;
/// Where boxes of other bindings begin, and how wide they are.
const SIDE: usize = 540;
const SIDE_WIDTH: usize = 270;
const SIDE_HIGH: usize = 64;
/// Characters of the texts in boxes.
const MAIN_TEXT: usize = 56;
const SIDE_TEXT: usize = 33;
/// Boxes of the main pipeline that are drawn; the stages below the drawing are all there.
const MOST: usize = 60;

/// A frame around the stages of a binding: its name, top and bottom.
type Frame<'a> = (&'a str, usize, usize);

/// A box beside the pipeline.
struct Side<'a> {
    binding: &'a Binding,
    /// Stages that mention it, by place.
    stages: Vec<usize>,
    top: usize,
}

/// The drawing of one query; `prefix` begins the ids of its stages on the page.
/// Empty when there is nothing to draw.
pub(crate) fn pipeline(explanation: &Explanation, prefix: &str) -> String {
    let stages: Vec<&Stage> = explanation.stages.iter().take(MOST).collect();
    if stages.is_empty() {
        return String::new();
    }
    let framed = stages.iter().any(|s| s.binding.is_some());
    let (tops, frames, bottom) = column(&stages);
    let sides = sides(explanation, &stages, &tops);
    let height = sides.iter().map(|s| s.top + SIDE_HIGH).fold(bottom, usize::max) + FRAME;
    let left = if framed { FRAME + 2 } else { 2 };
    let width = if sides.is_empty() {
        left + MAIN + left
    } else {
        SIDE + SIDE_WIDTH + 2
    };

    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg class=\"pipeline\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"group\" \
         aria-labelledby=\"{prefix}drawing-title {prefix}drawing-desc\"><title id=\"{prefix}drawing-title\">Pipeline of {}\
         </title><desc id=\"{prefix}drawing-desc\">{}</desc>",
        escape(&explanation.title),
        escape(&described(&stages, &sides)),
    );
    let _ = write!(
        svg,
        "<defs><marker id=\"{prefix}tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto-start-reverse\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>"
    );
    for (name, from, to) in &frames {
        let _ = write!(
            svg,
            "<rect class=\"frame\" x=\"2\" y=\"{from}\" width=\"{}\" height=\"{}\" rx=\"8\"/>\
             <text class=\"of\" x=\"{}\" y=\"{}\">let {}</text>",
            MAIN + 2 * FRAME,
            to - from,
            left,
            from + 15,
            escape(&cut(name, MAIN_TEXT)),
        );
    }
    let middle = left + MAIN / 2;
    for pair in tops.windows(2) {
        let _ = write!(
            svg,
            "<path class=\"flow\" marker-end=\"url(#{prefix}tip)\" d=\"M{middle} {}V{}\"/>",
            pair[0] + HIGH,
            pair[1] - 1,
        );
    }
    lines(&mut svg, &stages, &tops, &frames, &sides, left + MAIN, prefix);
    for (stage, top) in stages.iter().zip(&tops) {
        let _ = write!(
            svg,
            "<a href=\"#{prefix}stage-{0}\"><rect class=\"box {1}\" x=\"{left}\" y=\"{top}\" width=\"{MAIN}\" \
             height=\"{HIGH}\" rx=\"6\"/><text class=\"kind\" x=\"{2}\" y=\"{3}\">{0} · {4}</text>\
             <text class=\"code\" x=\"{2}\" y=\"{5}\">{6}</text></a>",
            stage.number,
            family(&stage.kind),
            left + 12,
            top + 20,
            escape(&cut(stage.kind.trim_start_matches("kusto:"), 24)),
            top + 39,
            escape(&excerpt(stage)),
        );
    }
    for (index, side) in sides.iter().enumerate() {
        let _ = write!(
            svg,
            "<a href=\"#{prefix}binding-{0}\"><rect class=\"box side\" x=\"{SIDE}\" y=\"{1}\" width=\"{SIDE_WIDTH}\" \
             height=\"{SIDE_HIGH}\" rx=\"6\"/><text class=\"kind\" x=\"{2}\" y=\"{3}\">let {4}</text>\
             <text class=\"code\" x=\"{2}\" y=\"{5}\">{6}</text></a>",
            index + 1,
            side.top,
            SIDE + 12,
            side.top + 26,
            escape(&cut(&side.binding.name, SIDE_TEXT - 4)),
            side.top + 47,
            escape(&cut(&operators(&side.binding.text), SIDE_TEXT)),
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Tops of the boxes, frames of bindings (name, top, bottom), and the bottom of all.
fn column<'a>(stages: &[&'a Stage]) -> (Vec<usize>, Vec<Frame<'a>>, usize) {
    let mut tops = Vec::new();
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut y = 4;
    let mut open: Option<&str> = None;
    for (index, stage) in stages.iter().enumerate() {
        let binding = stage.binding.as_deref();
        if index > 0 {
            y += GAP;
        }
        if binding != open || index == 0 {
            if open.is_some() && index > 0 {
                y += FRAME;
            }
            if let Some(name) = binding {
                frames.push((name, y, y));
                y += 22;
            }
            open = binding;
        }
        tops.push(y);
        y += HIGH;
        if binding.is_some()
            && let Some(frame) = frames.last_mut()
        {
            frame.2 = y + FRAME;
        }
    }
    let bottom = if open.is_some() { y + FRAME } else { y };
    (tops, frames, bottom)
}

/// Bindings beside the pipeline that something mentions, each about as high as
/// the first stage that does.
fn sides<'a>(explanation: &'a Explanation, stages: &[&Stage], tops: &[usize]) -> Vec<Side<'a>> {
    let mentioned: Vec<BTreeSet<&str>> = stages.iter().map(|s| names(&s.text)).collect();
    let mut sides: Vec<Side<'a>> = Vec::new();
    let mut free = 4;
    for binding in explanation.bindings.iter().take(MOST) {
        let places: Vec<usize> = mentioned
            .iter()
            .enumerate()
            .filter(|(_, names)| names.contains(binding.name.as_str()))
            .map(|(place, _)| place)
            .collect();
        sides.push(Side {
            binding,
            stages: places,
            top: 0,
        });
    }
    // Those of earlier stages stand higher; what only other bindings use comes with the next that is used.
    let mut order: Vec<usize> = (0..sides.len()).collect();
    let place = |at: usize| -> usize {
        sides[at..]
            .iter()
            .find_map(|s| s.stages.first().copied())
            .unwrap_or(usize::MAX)
    };
    order.sort_by_key(|at| (place(*at), *at));
    let wanted: Vec<usize> = (0..sides.len())
        .map(|at| tops.get(place(at)).copied().unwrap_or(4))
        .collect();
    for at in order {
        let top = free.max(wanted[at].saturating_sub((SIDE_HIGH - HIGH) / 2));
        sides[at].top = top;
        free = top + SIDE_HIGH + GAP;
    }
    sides
}

/// Lines from bindings to what uses them.
#[allow(clippy::too_many_arguments, reason = "places of one drawing")]
fn lines(
    svg: &mut String,
    stages: &[&Stage],
    tops: &[usize],
    frames: &[Frame<'_>],
    sides: &[Side<'_>],
    right: usize,
    prefix: &str,
) {
    // Every line turns in a lane of its own, as long as there are lanes.
    let room = SIDE - right - 28;
    let count: usize = sides
        .iter()
        .map(|s| s.stages.len() + s.binding.derived_from.len())
        .sum();
    let step = (room / (count + 1)).clamp(3, 12);
    let mut lane = 0;
    let mut turn = || {
        lane += 1;
        SIDE - 14 - (lane * step).min(room)
    };
    for side in sides {
        let from = side.top + SIDE_HIGH / 2;
        for stage in &side.stages {
            let to = tops[*stage] + HIGH / 2 + 6;
            let _ = write!(
                svg,
                "<path class=\"flow\" marker-end=\"url(#{prefix}tip)\" d=\"M{SIDE} {from}H{}V{to}H{}\"/>",
                turn(),
                right + 1,
            );
        }
        for name in &side.binding.derived_from {
            // What the main pipeline runs through leaves it at the end of its frame.
            let Some((_, _, end)) = frames.iter().find(|(framed, ..)| framed == name) else {
                continue;
            };
            let last = stages
                .iter()
                .rposition(|s| s.binding.as_deref() == Some(name.as_str()))
                .map_or(*end, |at| tops[at] + HIGH / 2 - 8);
            let _ = write!(
                svg,
                "<path class=\"flow from\" marker-end=\"url(#{prefix}tip)\" d=\"M{right} {last}H{}V{}H{}\"/>",
                turn(),
                side.top + 14,
                SIDE - 1,
            );
        }
    }
    // One binding that another is made of: along the right edge would cross the
    // boxes, so a short line on their left.
    for side in sides {
        for name in &side.binding.derived_from {
            let Some(other) = sides.iter().find(|s| s.binding.name == *name) else {
                continue;
            };
            let _ = write!(
                svg,
                "<path class=\"flow\" marker-end=\"url(#{prefix}tip)\" d=\"M{SIDE} {}H{}V{}H{}\"/>",
                other.top + SIDE_HIGH - 10,
                SIDE - 10,
                side.top + 14,
                SIDE - 1,
            );
        }
    }
}

/// The drawing in words.
fn described(stages: &[&Stage], sides: &[Side<'_>]) -> String {
    let kinds: Vec<String> = stages
        .iter()
        .map(|s| s.kind.trim_start_matches("kusto:").to_owned())
        .collect();
    let mut text = format!(
        "{} stage{} from top to bottom: {}.",
        stages.len(),
        if stages.len() == 1 { "" } else { "s" },
        kinds.join(", ")
    );
    for side in sides {
        let at: Vec<String> = side
            .stages
            .iter()
            .map(|place| stages[*place].number.to_string())
            .collect();
        if !at.is_empty() {
            let _ = write!(
                text,
                " {} joins in at stage{} {}.",
                side.binding.name,
                if at.len() == 1 { "" } else { "s" },
                at.join(", ")
            );
        }
    }
    text
}

/// The stage's text without its operator, in one line.
fn excerpt(stage: &Stage) -> String {
    let kind = stage.kind.trim_start_matches("kusto:");
    // In front of a pipe stands the name of the binding that the drawing shows as a frame.
    let operator = stage
        .text
        .split_once("| ")
        .map_or(stage.text.as_str(), |(_, operator)| operator);
    let rest = operator
        .strip_prefix(kind)
        .filter(|_| operator.len() < stage.text.len());
    cut(rest.unwrap_or(&stage.text), MAIN_TEXT)
}

/// What a stage does to rows, for its colour.
fn family(kind: &str) -> &'static str {
    match kind.trim_start_matches("kusto:") {
        "source" | "print" | "union" | "range" | "datatable" | "externaldata" => "reads",
        "where" | "take" | "top" | "sample" | "distinct" => "filters",
        "summarize" | "count" | "make-series" | "top-nested" => "groups",
        "join" | "lookup" | "invoke" | "evaluate" => "relates",
        _ => "shapes",
    }
}

/// The names in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let (tokens, _) = lexer::lex(text);
    tokens
        .iter()
        .filter(|t| matches!(t.kind, TokenKind::Ident | TokenKind::Keyword(_)))
        .map(|t| t.span.of(text))
        .collect()
}

/// What a binding reads and its operators, in order.
fn operators(text: &str) -> String {
    let (tokens, _) = lexer::lex(text);
    let mut before: Option<(TokenKind, &str)> = None;
    let mut found: Vec<&str> = Vec::new();
    for token in tokens.iter().filter(|t| !t.kind.is_trivia()) {
        let word = token.span.of(text);
        match before {
            // What stands in front of the first pipe is where the rows come from.
            Some((TokenKind::Ident, source)) if token.kind == TokenKind::Bar && found.is_empty() => {
                found.push(source);
            }
            Some((TokenKind::Bar, _))
                if matches!(token.kind, TokenKind::Ident | TokenKind::Keyword(_))
                    && found.last() != Some(&word) =>
            {
                found.push(word);
            }
            _ => {}
        }
        before = Some((token.kind, word));
    }
    if found.is_empty() {
        let value = text.split_once('=').map_or(text, |(_, value)| value);
        return value.trim().trim_end_matches(';').to_owned();
    }
    found.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_a_binding() {
        assert_eq!(
            operators("let a = (T | where x | where y | summarize count());"),
            "T → where → summarize"
        );
        assert_eq!(operators("let a = dynamic([1]);"), "dynamic([1])");
    }
}
