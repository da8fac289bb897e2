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
