use std::io::{BufReader, Cursor};

use super::*;
use crate::Event;

const MAP: &str = "dd-1 [000] ..... 1.5: map: IOMMU: iova=0x0000000000001000 - 0x0000000000002000 paddr=0x0000000000003000 size=4096";

fn read(bytes: &[u8]) -> (Vec<Result<Line, String>>, Counts) {
    let mut reader = Reader::new("name", bytes);
    let lines = reader.by_ref().map(|line| line.map_err(|error| error.to_string())).collect();
    (lines, reader.counts().clone())
}

fn line_of(line: &Result<Line, String>) -> u64 {
    match line {
        Ok(Line::Record(record)) => record.line,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_malformed_line_does_not_stop_the_reading() {
    let text = format!("# head\n{MAP}\ndd-1 [000] ..... 1.6: map: IOMMU: iova=0x1\nfoo\n\n{MAP}");
    let (lines, counts) = read(text.as_bytes());
    assert_eq!(lines[0], Ok(Line::Ignored));
    assert_eq!(line_of(&lines[1]), 2);
    assert_eq!(lines[2], Err("name:3: map: field `size` is missing, expected a number".to_owned()));
    assert_eq!(lines[3], Ok(Line::Unknown));
    assert_eq!(lines[4], Ok(Line::Ignored));
    assert_eq!(line_of(&lines[5]), 6);
    assert_eq!(
        (counts.lines, counts.records, counts.ignored, counts.unknown, counts.malformed),
        (6, 2, 2, 1, 1)
    );
    assert_eq!(counts.event(crate::EventName::Map), 2);
    assert_eq!((counts.first_time_ns, counts.last_time_ns), (Some(1_500_000_000), Some(1_500_000_000)));
}

#[test]
fn windows_line_ends_and_odd_bytes() {
    let mut text = format!("{MAP}\r\n").into_bytes();
    text.extend_from_slice(b"\xff\xfe");
    text.extend_from_slice(MAP.as_bytes());
    text.extend_from_slice(b"\n\xff\xff\n\0\n");
    let (lines, counts) = read(&text);
    assert_eq!((line_of(&lines[0]), line_of(&lines[1])), (1, 2));
    assert_eq!((counts.records, counts.unknown, counts.malformed), (2, 2, 0));
}

#[test]
fn a_wrapped_line_is_joined() {
    let (first, second) = MAP.split_once(" - ").unwrap();
    let text = format!("{first} - \n   {second}\n{MAP}\n");
    let (lines, counts) = read(text.as_bytes());
    assert_eq!(lines.len(), 2);
    assert_eq!((line_of(&lines[0]), line_of(&lines[1])), (1, 3));
    assert_eq!((counts.lines, counts.records), (3, 2));
}

#[test]
fn a_line_cut_behind_the_dash_does_not_swallow_the_next() {
    let (first, _) = MAP.split_once(" - ").unwrap();
    let text = format!("{first} -\n{MAP}\n{first} -");
    let (lines, counts) = read(text.as_bytes());
    assert_eq!(lines.len(), 3);
    assert!(lines[0].is_err() && lines[2].is_err());
    assert_eq!(line_of(&lines[1]), 2);
    assert_eq!((counts.lines, counts.malformed), (3, 2));
}

#[test]
fn a_line_of_the_longest_length_is_read_and_a_longer_one_is_not() {
    for (length, too_long) in [
        (LINE_BYTES_MAX - 1, false),
        (LINE_BYTES_MAX, false),
        (LINE_BYTES_MAX + 1, true),
        (3 * LINE_BYTES_MAX, true),
    ] {
        let mut text = vec![b'#'; length];
        text.push(b'\n');
        text.extend_from_slice(MAP.as_bytes());
        let (lines, counts) = read(&text);
        assert_eq!(lines.len(), 2, "{length}");
        assert_eq!(lines[0].is_err(), too_long, "{length}");
        assert_eq!(counts.malformed, u64::from(too_long));
        assert_eq!(line_of(&lines[1]), 2);
    }
    let (lines, _) = read(&vec![b'#'; LINE_BYTES_MAX + 1]);
    assert!(
        lines[0]
            .as_ref()
            .is_err_and(|error| error.starts_with("name:1: the line is longer than 1048576 bytes"))
    );
    assert_eq!(lines.len(), 1);
    assert_eq!(read(&vec![b'#'; LINE_BYTES_MAX]).0, [Ok(Line::Ignored)]);
}

/// Gives some bytes, then fails.
struct Broken(Cursor<Vec<u8>>);

impl Read for Broken {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out)? {
            0 => Err(io::Error::other("the disk is gone")),
            count => Ok(count),
        }
    }
}

#[test]
fn an_error_of_the_source_ends_the_reading() {
    let source = BufReader::new(Broken(Cursor::new(format!("{MAP}\n{MAP}").into_bytes())));
    let mut reader = Reader::new("name", source);
    assert!(matches!(reader.next(), Some(Ok(Line::Record(Record { line: 1, event: Event::Map(_), .. })))));
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "name:2: cannot read on: the disk is gone");
    assert!(reader.next().is_none());
}
