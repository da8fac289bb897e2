use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

const TEXT: &[u8] = b"# one\nmap: IOMMU: iova=0x1000 paddr=0x0 size=4096\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn records(bytes: &[u8]) -> Result<u64, String> {
    let mut reader = Reader::from_bytes("name", bytes).map_err(|error| error.to_string())?;
    for line in &mut reader {
        line.map_err(|error| error.to_string())?;
    }
    Ok(reader.counts().records)
}

#[test]
fn plain_and_compressed() {
    assert_eq!(records(TEXT), Ok(1));
    assert_eq!(records(&gzip(TEXT)), Ok(1));
    assert_eq!(records(&zstd(TEXT)), Ok(1));
    assert_eq!(records(b""), Ok(0));
    assert_eq!(records(b"#"), Ok(0));
}

#[test]
fn several_members_and_frames() {
    let skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc";
    assert_eq!(records(&[gzip(TEXT), gzip(TEXT)].concat()), Ok(2));
    assert_eq!(records(&[zstd(TEXT), zstd(b""), zstd(TEXT)].concat()), Ok(2));
    assert_eq!(records(&[zstd(TEXT), skippable.to_vec(), zstd(TEXT)].concat()), Ok(2));
}

#[test]
fn broken_compression_is_an_error() {
    let text = TEXT.repeat(1000);
    for whole in [gzip(&text), zstd(&text)] {
        for length in [4, 12, whole.len() / 2, whole.len() - 1] {
            assert!(records(&whole[..length]).is_err(), "{length} of {}", whole.len());
        }
        assert!(records(&[whole, b"rest".to_vec()].concat()).is_err());
    }
}

#[test]
fn checksums_are_checked() {
    // Written by the `zstd` command, which appends a checksum; the text is stored as it is.
    let mut frame = b"\x28\xb5\x2f\xfd\x04\x58\x61\x01\x00\x6d\x61\x70\x3a\x20\x49\x4f\x4d\x4d\x55\x3a\x20\x69\x6f\x76\x61\x3d\x30\x78\x31\x30\x30\x30\x20\x70\x61\x64\x64\x72\x3d\x30\x78\x30\x20\x73\x69\x7a\x65\x3d\x34\x30\x39\x36\x0a\x84\xc3\x5e\x50".to_vec();
    assert_eq!(records(&frame), Ok(1));
    let digit = frame.windows(4).position(|window| window == b"4096").unwrap();
    for position in [digit, frame.len() - 1] {
        frame[position] ^= 1;
        let error = records(&frame).unwrap_err();
        assert!(error.contains("checksum does not match"), "{error}");
        frame[position] ^= 1;
    }

    let mut compressed = gzip(&TEXT.repeat(1000));
    let crc = compressed.len() - 8;
    compressed[crc] ^= 1;
    assert!(records(&compressed).is_err());
}

#[test]
fn binary_captures_are_refused_with_advice() {
    for (magic, advice) in [
        (&b"PERFILE2 and more"[..], "perf script"),
        (b"2ELIFREP", "perf script"),
        (b"\x17\x08\x44tracing6", "trace-cmd report"),
    ] {
        for bytes in [magic.to_vec(), gzip(magic), zstd(magic)] {
            let error = records(&bytes).unwrap_err();
            assert!(error.starts_with("name: ") && error.contains(advice), "{error}");
        }
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = open("no/such/file").unwrap_err();
    assert!(error.to_string().starts_with("no/such/file: cannot open: "), "{error}");
}

/// The lines that were good, and the message about what was not.
fn until_failure(bytes: &[u8]) -> (u64, String) {
    let mut reader = match Reader::from_bytes("name", bytes) {
        Ok(reader) => reader,
        Err(error) => return (0, error.to_string()),
    };
    let message = reader.by_ref().find_map(|line| line.err().map(|error| error.to_string()));
    (reader.counts().lines, message.unwrap_or_default())
}

#[test]
fn damage_is_told_in_words() {
    let text: Vec<u8> = (0..20_000_u32)
        .flat_map(|line| format!("line {} {}\n", line.wrapping_mul(2_654_435_761), line).into_bytes())
        .collect();
    for (format, whole) in [("gzip", gzip(&text)), ("zstd", zstd(&text))] {
        for length in [5, 9, 16, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            let (lines, message) = until_failure(&whole[..length]);
            let expected = format!(
                "name:{}: cannot read on: the {format} data ends too early; copy the file again",
                lines + 1
            );
            assert_eq!(message, expected, "{length} of {}", whole.len());
            // The zstd decoder keeps its last window, here most of the text, until the frame ends.
            assert!(format == "zstd" || (lines > 0) == (length > 1000), "{length}");
        }
        let mut told = 0;
        for at in (20..whole.len()).step_by(whole.len() / 50) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            let (lines, message) = until_failure(&damaged);
            assert!(message.starts_with(&format!("name:{}: cannot read on: ", lines + 1)), "{at} {message}");
            assert!(!message.contains(['{', '(']), "{at} {message}");
            told += u32::from(message.contains(&format!("the {format} data is damaged")));
        }
        assert!(told > 25, "{format} {told}");
    }
}

#[test]
fn what_follows_compressed_data() {
    for (format, whole) in [("gzip", gzip(TEXT)), ("zstd", zstd(TEXT))] {
        let message = format!("name:3: cannot read on: what follows the {format} data is not {format} data");
        for rest in [&b"rest"[..], b"x\n"] {
            assert_eq!(until_failure(&[&whole[..], rest].concat()), (2, message.clone()));
        }
    }
    let zeros = vec![0; 100_000];
    assert_eq!(records(&[gzip(TEXT), zeros.clone()].concat()), Ok(1));
    assert_eq!(records(&[gzip(TEXT), zeros.clone(), gzip(TEXT), zeros].concat()), Ok(2));
}

#[test]
fn zstd_may_begin_with_a_frame_to_skip() {
    for first in 0x50..=0x5f {
        let skippable = [first, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'a', b'b', b'c'];
        assert_eq!(records(&[&skippable, &zstd(TEXT)[..]].concat()), Ok(1));
        let (_, message) = until_failure(&skippable[..9]);
        assert_eq!(message, "name:1: cannot read on: the zstd data ends too early; copy the file again");
    }
}

#[test]
fn a_window_or_a_dictionary_that_is_not_there_is_told_with_advice() {
    // Frames without a known size: a window of 2^28 bytes, and the dictionary 7.
    for (frame, advice) in [
        (
            &b"\x28\xb5\x2f\xfd\x00\x90\x01\0\0"[..],
            "more than 128 MiB; decompress it first: `zstd -dc --long=31 FILE |",
        ),
        (b"\x28\xb5\x2f\xfd\x01\x58\x07\x01\0\0", "a dictionary; decompress it first: `zstd -dc -D "),
    ] {
        let (_, message) = until_failure(frame);
        assert!(message.starts_with("name:1: cannot read on: compressed with a"), "{message}");
        assert!(message.contains(advice), "{message}");
    }
}

#[test]
fn other_compressed_files_are_refused_with_advice() {
    for (magic, tool) in
        [(&b"\xfd7zXZ\0\0\x04"[..], "xz"), (b"BZh91AY&SY", "bzip2"), (b"\x04\x22\x4d\x18\x64\x40", "lz4")]
    {
        let advice = format!(
            "name: this is compressed with {tool}; decompress it first: `{tool} -dc FILE | iova replay -`"
        );
        assert_eq!(records(magic), Err(advice.clone()));
        assert_eq!(records(&gzip(magic)), Err(advice));
    }
}

#[test]
fn binary_files_are_refused() {
    for bytes in [&b"\x7fELF\x02\x01\x01\0\0"[..], b"\xff\xfe#\0 \0", &[0; 100]] {
        for bytes in [bytes.to_vec(), gzip(bytes), zstd(bytes)] {
            let error = records(&bytes).unwrap_err();
            assert!(error.starts_with("name: this is not text"), "{error}");
        }
    }
}
