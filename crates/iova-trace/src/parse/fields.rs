//! The `key=value` fields of an event, as the kernel prints them and as the tools print them when they cannot.
//!
//! The kernel's own form is `dma_addr=fff60000 size=4096 phys_addrs={0x1000,0x2000}`: addresses in hexadecimal
//! (with or without `0x`), sizes in decimal. `perf script` and `trace-cmd report` do not know arrays of `u64`;
//! they print such an event raw, behind `[FAILED TO PARSE]`: all scalars as the C type has it, and arrays as
//! the bytes in memory, `ARRAY[00, 20, 81, 0d, 00, 00, 00, 00]`. The bytes are taken as little-endian.

use crate::Fault;

const RAW: &str = "[FAILED TO PARSE]";

/// More fields than any known event has; what follows is dropped.
const FIELDS_MAX: usize = 16;

/// The fields of one event's text.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// What stands before the first field.
    pub(super) lead: &'a str,
    /// Whether a tool printed the fields raw.
    pub(super) raw: bool,
    pairs: [(&'a str, &'a str); FIELDS_MAX],
    len: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(body: &'a str) -> Self {
        let (raw, text) = match body.strip_prefix(RAW) {
            Some(text) => (true, text),
            None => (false, body),
        };
        let mut fields = Self { lead: "", raw, pairs: [("", ""); FIELDS_MAX], len: 0 };
        let mut rest = text;
        while let Some((before, key, value, after)) = next_pair(rest) {
            if fields.len == 0 {
                fields.lead = before.trim();
            }
            let Some(slot) = fields.pairs.get_mut(fields.len) else { break };
            *slot = (key, value);
            fields.len += 1;
            rest = after;
        }
        if fields.len == 0 {
            fields.lead = text.trim();
        }
        fields
    }

    /// The text of a field that may be absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().take(self.len).find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn require(&self, name: &'static str, expected: &'static str) -> Result<&'a str, Fault> {
        self.get(name).ok_or(Fault::Missing { field: name, expected })
    }

    /// A number that the kernel prints in hexadecimal.
    pub(super) fn hex(&self, name: &'static str) -> Result<u64, Fault> {
        const EXPECTED: &str = "a hexadecimal number";
        let text = self.require(name, EXPECTED)?;
        let number =
            if self.raw { either(text) } else { hexadecimal(text.strip_prefix("0x").unwrap_or(text)) };
        number.ok_or_else(|| Fault::value(name, text, EXPECTED))
    }

    /// A number that the kernel prints in decimal, or in hexadecimal behind `0x`.
    pub(super) fn number(&self, name: &'static str) -> Result<u64, Fault> {
        const EXPECTED: &str = "a number";
        let text = self.require(name, EXPECTED)?;
        either(text).ok_or_else(|| Fault::value(name, text, EXPECTED))
    }

    /// A truth value, printed as 0 or 1.
    pub(super) fn truth(&self, name: &'static str) -> Result<bool, Fault> {
        const EXPECTED: &str = "0 or 1";
        match self.require(name, EXPECTED)? {
            "0" | "0x0" => Ok(false),
            "1" | "0x1" => Ok(true),
            text => Err(Fault::value(name, text, EXPECTED)),
        }
    }

    /// A list of addresses.
    pub(super) fn addresses(&self, name: &'static str) -> Result<Vec<u64>, Fault> {
        const EXPECTED: &str = "a list `{0x1000,...}` or `ARRAY[00, ...]` of 8-byte numbers";
        self.list(name, 8, EXPECTED, |text| hexadecimal(text.strip_prefix("0x").unwrap_or(text)))
    }

    /// A list of lengths, which are 32 bits wide.
    pub(super) fn lengths(&self, name: &'static str) -> Result<Vec<u64>, Fault> {
        const EXPECTED: &str = "a list `{0x1000,...}` or `ARRAY[00, ...]` of 4-byte numbers";
        self.list(name, 4, EXPECTED, either)
    }

    fn list(
        &self,
        name: &'static str,
        width: usize,
        expected: &'static str,
        number: fn(&str) -> Option<u64>,
    ) -> Result<Vec<u64>, Fault> {
        let text = self.require(name, expected)?;
        let list = match braced(text, "ARRAY[", "]") {
            Some(bytes) => from_bytes(bytes, width),
            None => braced(text, "{", "}").and_then(|entries| elements(entries).map(number).collect()),
        };
        list.ok_or_else(|| Fault::value(name, text, expected))
    }
}

/// Finds the next `key=value`: what stands before it, the two, and what follows.
fn next_pair(text: &str) -> Option<(&str, &str, &str, &str)> {
    let equals = text.find('=')?;
    let (left, right) = (text.get(..equals)?, text.get(equals + 1..)?);
    let key_at = left.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    // A value ends at a blank, except the raw arrays, which have blanks between their bytes.
    let end = if right.starts_with("ARRAY[") {
        right.find(']').map_or(right.len(), |at| at + 1)
    } else {
        right.find(char::is_whitespace).unwrap_or(right.len())
    };
    Some((left.get(..key_at)?, left.get(key_at..)?, right.get(..end)?, right.get(end..)?))
}

fn braced<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    text.strip_prefix(open)?.strip_suffix(close)
}

fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|element| !element.is_empty())
}

/// Puts little-endian numbers together from printed bytes.
fn from_bytes(list: &str, width: usize) -> Option<Vec<u64>> {
    let bytes: Vec<u64> =
        elements(list).map(|byte| hexadecimal(byte).filter(|&byte| byte <= 0xff)).collect::<Option<_>>()?;
    let numbers = bytes.chunks_exact(width);
    if !numbers.remainder().is_empty() {
        return None;
    }
    Some(numbers.map(|number| number.iter().rev().fold(0, |high, byte| (high << 8) | byte)).collect())
}

/// Reads hexadecimal digits and nothing else.
fn hexadecimal(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_hexdigit()) { u64::from_str_radix(text, 16).ok() } else { None }
}

/// Reads decimal digits, or hexadecimal ones behind `0x`.
fn either(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => hexadecimal(digits),
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_lengths_are_four_bytes_each() {
        let fields =
            Fields::new("[FAILED TO PARSE] device=a lengths=ARRAY[00, 00, 02, 00, 00, 10, 00, 00] dir=2");
        assert_eq!(fields.lengths("lengths"), Ok(vec![0x2_0000, 0x1000]));
        assert_eq!(fields.get("dir"), Some("2"));
    }

    #[test]
    fn raw_addresses_are_eight_bytes_each() {
        let fields = Fields::new("[FAILED TO PARSE] addrs=ARRAY[00, 50, e2, 06, 08, 00, 00, 00] dir=2");
        assert_eq!(fields.addresses("addrs"), Ok(vec![0x8_06e2_5000]));
    }

    #[test]
    fn half_a_number_is_no_list() {
        let fields = Fields::new("[FAILED TO PARSE] addrs=ARRAY[00, 50, e2]");
        assert!(matches!(fields.addresses("addrs"), Err(Fault::Value { field: "addrs", .. })));
        assert!(matches!(Fields::new("addrs=ARRAY[00, 50").addresses("addrs"), Err(Fault::Value { .. })));
        assert!(matches!(Fields::new("addrs={0x1,0x2").addresses("addrs"), Err(Fault::Value { .. })));
    }

    #[test]
    fn empty_lists_and_values() {
        let fields = Fields::new("a={} b=ARRAY[] attrs=");
        assert_eq!(fields.addresses("a"), Ok(vec![]));
        assert_eq!(fields.lengths("b"), Ok(vec![]));
        assert_eq!(fields.get("attrs"), Some(""));
        assert!(fields.hex("attrs").is_err());
    }

    #[test]
    fn the_lead_is_what_precedes_the_first_field() {
        assert_eq!(Fields::new("0000:00:02.0 dir=TO_DEVICE").lead, "0000:00:02.0");
        assert_eq!(Fields::new("(f+0x4/0x140 <- g) pfn=1").lead, "(f+0x4/0x140 <- g)");
        assert_eq!(Fields::new("no fields").lead, "no fields");
    }
}
