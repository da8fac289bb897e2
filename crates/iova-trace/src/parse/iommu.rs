//! The `iommu:*` events.

use super::{Devices, fields::Fields};
use crate::{Event, EventName, Fault, IommuMap, IommuUnmap};

pub(super) fn parse(name: EventName, body: &str, devices: &mut Devices) -> Result<Event, Fault> {
    let fields = Fields::new(body);
    if !fields.raw && !body.starts_with("IOMMU:") {
        return Err(Fault::value("IOMMU", body, "the text `IOMMU:` behind the event's name"));
    }
    match name {
        EventName::Map => {
            let (iova, size_bytes) = range(&fields, body)?;
            let device = device(&fields, devices);
            Ok(Event::Map(IommuMap { device, iova, physical: fields.hex("paddr")?, size_bytes }))
        }
        EventName::Unmap => {
            let (iova, size_bytes) = range(&fields, body)?;
            let device = device(&fields, devices);
            let unmapped_bytes = fields.number("unmapped_size")?;
            Ok(Event::Unmap(IommuUnmap { device, iova, size_bytes, unmapped_bytes }))
        }
        EventName::IoPageFault => {
            fields.hex("iova")?;
            Ok(Event::Notice(name))
        }
        _ => match fields.get("device") {
            Some(_) => Ok(Event::Notice(name)),
            None => Err(Fault::Missing { field: "device", expected: "a device's name" }),
        },
    }
}

/// Only Qualcomm's kernels name the device, as `dev=`.
fn device(fields: &Fields<'_>, devices: &mut Devices) -> Option<crate::Device> {
    fields.get("dev").map(|name| devices.intern(name))
}

/// Reads first IOVA and size, and checks the end that newer kernels print between them.
fn range(fields: &Fields<'_>, body: &str) -> Result<(u64, u64), Fault> {
    let (iova, size_bytes) = (fields.hex("iova")?, fields.number("size")?);
    if let Some((_, tail)) = body.split_once(" - ") {
        const EXPECTED: &str = "a hexadecimal number behind ` - `";
        let text = tail.split_whitespace().next().unwrap_or_default();
        let end = text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let end = end.ok_or_else(|| Fault::value("iova", text, EXPECTED))?;
        // The end is exclusive, so a range at the very top prints 0.
        if end != iova.wrapping_add(size_bytes) {
            return Err(Fault::Disagreement("the printed end differs from `iova` + `size`"));
        }
    }
    Ok((iova, size_bytes))
}
