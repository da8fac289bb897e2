//! The part of a line before the event: each tool prints it differently.
//!
//! ```text
//! ftrace     kworker/u8:3-56      [001] .....    16.113326: map: ...
//! + tgid               dd-198     (    198) [000]   106.614681: map: ...
//! latency        dd-198       0..... 78659us+: map: ...
//! trace-cmd            dd-194   [001]    91.146369: map:                  ...
//! perf                 dd   183 [000]    35.220453:                    iommu:unmap: ...
//! perf -F              dd   183/183   [000]    35.211691:                      iommu:map: ...
//! ```
//!
//! What they share is a timestamp, a colon and the event's name; so that is looked for first, and the columns
//! before it are read from the right, where they are regular. On the left stands the task's name, which may
//! hold almost anything.

/// A line taken apart, before anything is known about its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split<'a> {
    pub(crate) cpu: Option<u32>,
    pub(crate) pid: Option<u32>,
    pub(crate) time_ns: Option<u64>,
    /// What stands before the event's name, as in `iommu:map`.
    pub(crate) system: Option<&'a str>,
    pub(crate) event: &'a str,
    pub(crate) body: &'a str,
    /// Whether there was a prefix at all.
    pub(crate) prefixed: bool,
}

/// No tool prints more than this before the event; it bounds the search in a long line.
const PREFIX_BYTES_MAX: usize = 512;

/// Takes a line apart, or returns `None` if it is nothing like an event.
pub(crate) fn split(line: &str) -> Option<Split<'_>> {
    for (colon, _) in line.match_indices(':').take_while(|&(at, _)| at < PREFIX_BYTES_MAX) {
        let (before, after) = (line.get(..colon)?, line.get(colon + 1..)?);
        // Every tool sets the event off with a blank; a device's name (`0000:00:02.0`) has none.
        if !after.starts_with(char::is_whitespace) {
            continue;
        }
        let (head, stamp) = last_word(before);
        let Some((head, time_ns)) = parse_stamp(head, stamp) else { continue };
        let Some((system, event, body)) = parse_event(skip_period(after)) else { continue };
        let (cpu, pid) = parse_head(head);
        return Some(Split { cpu, pid, time_ns, system, event, body, prefixed: true });
    }
    let (system, event, body) = parse_event(line)?;
    Some(Split { cpu: None, pid: None, time_ns: None, system, event, body, prefixed: false })
}

/// Splits off the last word: what precedes it, and the word.
fn last_word(text: &str) -> (&str, &str) {
    let text = text.trim_end();
    match text.rfind(char::is_whitespace) {
        // The blank may be wider than one byte, so cut at its start and trim.
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default().trim_start()),
        None => ("", text),
    }
}

/// Reads the timestamp; what precedes it comes back without the delay mark of the latency format.
fn parse_stamp<'a>(head: &'a str, stamp: &'a str) -> Option<(&'a str, Option<u64>)> {
    let unmarked = stamp.trim_end_matches(['+', '!', '#', '*', '@', '$']);
    if let Some(micros) = unmarked.strip_suffix("us") {
        return Some((head, Some(decimal(micros)?.checked_mul(1_000)?)));
    }
    match stamp.split_once('.') {
        Some((seconds, fraction)) => {
            let digits = u32::try_from(fraction.len()).ok().filter(|digits| (1..=9).contains(digits))?;
            let nanos = decimal(fraction)? * 10_u64.pow(9 - digits);
            Some((head, Some(decimal(seconds)?.checked_mul(1_000_000_000)?.checked_add(nanos)?)))
        }
        // A trace clock that does not count time (`counter`, `x86-tsc`) prints a plain number.
        None => decimal(stamp).map(|_| (head, None)),
    }
}

/// Skips the sample period, which perf prints before the event when asked.
fn skip_period(after: &str) -> &str {
    let after = after.trim_start();
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() < after.len() && rest.starts_with(' ') { rest.trim_start() } else { after }
}

/// Reads `system:event: body` or `event: body`.
fn parse_event(text: &str) -> Option<(Option<&str>, &str, &str)> {
    let (first, rest) = parse_word(text.trim_start())?;
    match parse_word(rest) {
        Some((second, rest)) => Some((Some(first), second, rest.trim())),
        None => Some((None, first, rest.trim())),
    }
}

/// Reads an identifier and the colon behind it.
fn parse_word(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once(':')?;
    let is_word =
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    is_word.then_some((word, rest))
}

/// Reads processor and task from the columns before the timestamp, from the right.
fn parse_head(head: &str) -> (Option<u32>, Option<u32>) {
    let (before, last) = last_word(head);
    if let Some(cpu) = bracketed_cpu(last) {
        return (Some(cpu), parse_task(before));
    }
    let (before_flags, word) = last_word(before);
    if let Some(cpu) = bracketed_cpu(word) {
        return (Some(cpu), parse_task(before_flags));
    }
    if let Some(cpu) = fused_cpu(last) {
        return (Some(cpu), parse_task(before));
    }
    (None, parse_task(head))
}

/// Reads `[001]`.
fn bracketed_cpu(word: &str) -> Option<u32> {
    narrow(word.strip_prefix('[')?.strip_suffix(']')?)
}

/// Reads the latency format's column, where the processor runs into the flags: `0d.h1.`.
fn fused_cpu(word: &str) -> Option<u32> {
    let flags = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = word.get(..word.len() - flags.len())?;
    if (4..=8).contains(&flags.len()) { narrow(digits) } else { None }
}

/// Reads the task: `comm-198`, `comm-198 (    198)`, `comm 198` or `comm 183/198`.
fn parse_task(text: &str) -> Option<u32> {
    let text = strip_group(text.trim_end());
    let (_, word) = last_word(text);
    if let Some((_, thread)) = word.rsplit_once('/')
        && let Some(pid) = narrow(thread)
    {
        return Some(pid);
    }
    narrow(word).or_else(|| narrow(text.rsplit_once('-')?.1))
}

/// Removes the thread group, `(    198)` or `(-----)`.
fn strip_group(text: &str) -> &str {
    let Some((task, group)) = text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) else {
        return text;
    };
    if group.bytes().all(|b| b.is_ascii_digit() || b == b' ' || b == b'-') { task.trim_end() } else { text }
}

/// Reads digits and nothing else: `str::parse` would take a sign.
fn decimal(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn narrow(text: &str) -> Option<u32> {
    decimal(text).and_then(|number| u32::try_from(number).ok())
}

#[cfg(test)]
mod tests;
