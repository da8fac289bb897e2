//! Few bytes that stand for many: what is held while reading is bounded, whatever a file says of itself.

#![expect(unsafe_code, reason = "counts the bytes of the global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use iova_trace::{LINE_BYTES_MAX, Reader};

thread_local! {
    /// What one thread frees another may have allocated, so it may be less than nothing.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static GLOBAL: Counting = Counting;

// SAFETY: memory comes from the system's allocator; cells of a thread do not unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get() + layout.size() as isize);
        MOST.set(MOST.get().max(HELD.get()));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as isize);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// The most bytes that are held while a file is read, beside the file.
fn most_held(file: &[u8]) -> isize {
    let before = HELD.get();
    MOST.set(before);
    if let Ok(reader) = Reader::from_bytes("bomb", file) {
        reader.for_each(drop);
    }
    MOST.get() - before
}

/// A line, the next one behind it, and their text: the lossy one may be three times as long.
const LINES: isize = 8 * LINE_BYTES_MAX as isize;

fn gzip(text: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..times {
        encoder.write_all(text).expect("memory takes it all");
    }
    encoder.finish().expect("memory takes it all")
}

/// A zstd frame of a window of `1 << log` bytes whose blocks repeat one byte 128 KiB times each.
fn zstd(log: u8, byte: u8, blocks: usize) -> Vec<u8> {
    const BLOCK: u32 = 128 << 10;
    let mut frame = b"\x28\xb5\x2f\xfd\x00".to_vec();
    frame.push((log - 10) << 3);
    for block in 1..=blocks {
        let header = BLOCK << 3 | 1 << 1 | u32::from(block == blocks);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(byte);
    }
    frame
}

#[test]
fn a_line_without_an_end() {
    // A byte that is no text, so that it is replaced by three.
    for byte in [b'x', 0xff] {
        let file = gzip(&[byte; 1 << 16], 1 << 10);
        assert!(file.len() < 100_000);
        let held = most_held(&file);
        assert!(held <= LINES, "{held}");
        let held = most_held(&vec![byte; 32 << 20]);
        assert!(held <= LINES, "{held}");
    }
}

#[test]
fn many_short_lines() {
    for text in ["\n", "x\n", "map: IOMMU: iova=0x1000 paddr=0x0 size=4096\n", "map: IOMMU: iova=0x1 -\n"] {
        let held = most_held(&gzip(text.repeat(1000).as_bytes(), 1000));
        assert!(held <= LINES, "{held}, {text}");
    }
}

#[test]
fn a_zstd_file_holds_its_window() {
    for (log, blocks) in [(17, 64), (20, 64), (23, 128), (27, 1100)] {
        let file = zstd(log, b'x', blocks);
        assert!(file.len() < 10_000);
        let held = most_held(&file);
        // The decoder's buffer grows by doubling, and is copied as it does.
        assert!(held <= 4 * (1 << log) + LINES, "{held} for a window of 2^{log}");
    }
}

#[test]
fn a_window_that_is_too_large_is_refused_at_once() {
    for log in [28, 31, 41] {
        let held = most_held(&zstd(log, b'x', 2048));
        assert!(held < 1 << 20, "{held} for a window of 2^{log}");
    }
}

/// As many names of devices as there are lines: a name is forgotten at some time.
#[test]
fn many_names() {
    let mut text = Vec::new();
    for i in 0..100_000 {
        writeln!(text, "dma_unmap_page: device{i} dma_addr=0 size=1").expect("memory takes it all");
    }
    let held = most_held(&text);
    assert!(held <= LINES, "{held}");
}
