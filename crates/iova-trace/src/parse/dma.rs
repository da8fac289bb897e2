//! The `dma:*` events.

use super::{Devices, fields::Fields};
use crate::{Device, Direction, DmaAction, DmaBlock, DmaEvent, EventName, Fault, ScatterList};

pub(super) fn parse(name: EventName, body: &str, devices: &mut Devices) -> Result<DmaEvent, Fault> {
    let fields = Fields::new(body);
    let device = device(&fields, devices)?;
    let direction = direction(&fields)?;
    let action = action(name, &fields)?;
    Ok(DmaEvent { name, device, direction, action })
}

/// The device stands before the first field, or is a field when a tool printed the event raw.
fn device(fields: &Fields<'_>, devices: &mut Devices) -> Result<Device, Fault> {
    let name = if fields.raw { fields.get("device").unwrap_or_default() } else { fields.lead };
    if name.is_empty() {
        return Err(Fault::Missing { field: "device", expected: "a device's name" });
    }
    Ok(devices.intern(name))
}

fn direction(fields: &Fields<'_>) -> Result<Option<Direction>, Fault> {
    // The first kernels that had these events did not print it for all of them.
    let Some(text) = fields.get("dir") else { return Ok(None) };
    let direction = match text {
        "BIDIRECTIONAL" | "0" => Direction::Bidirectional,
        "TO_DEVICE" | "1" => Direction::ToDevice,
        "FROM_DEVICE" | "2" => Direction::FromDevice,
        "NONE" | "3" => Direction::None,
        _ => {
            const EXPECTED: &str = "BIDIRECTIONAL, TO_DEVICE, FROM_DEVICE, NONE, or 0 to 3";
            return Err(Fault::value("dir", text, EXPECTED));
        }
    };
    Ok(Some(direction))
}

fn action(name: EventName, fields: &Fields<'_>) -> Result<DmaAction, Fault> {
    use EventName as Name;
    Ok(match name {
        Name::DmaMapPage | Name::DmaMapResource | Name::DmaMapPhys => {
            let (block, physical) = (block(fields)?, fields.hex("phys_addr")?);
            // All ones is the API's way to say that the mapping failed; the event is printed all the same.
            if block.address == u64::MAX { DmaAction::Failed } else { DmaAction::Map { block, physical } }
        }
        Name::DmaUnmapPage | Name::DmaUnmapResource | Name::DmaUnmapPhys => DmaAction::Unmap(block(fields)?),
        Name::DmaAlloc | Name::DmaAllocPages => {
            let block = block(fields)?;
            if is_null(fields.get("virt_addr")) { DmaAction::Failed } else { DmaAction::Alloc(block) }
        }
        Name::DmaAllocSgt => DmaAction::Alloc(block(fields)?),
        Name::DmaAllocSgtErr => {
            fields.number("size")?;
            DmaAction::Failed
        }
        Name::DmaFree | Name::DmaFreePages | Name::DmaFreeSgt => DmaAction::Free(block(fields)?),
        Name::DmaMapSg => DmaAction::MapList(list(fields)?),
        Name::DmaMapSgErr => DmaAction::Failed,
        Name::DmaUnmapSg => DmaAction::UnmapList { physical: physical(fields)? },
        Name::DmaSyncSingleForCpu | Name::DmaSyncSingleForDevice => {
            block(fields)?;
            DmaAction::Sync
        }
        // What remains are the events that synchronise a list.
        _ => {
            blocks(fields)?;
            DmaAction::Sync
        }
    })
}

fn block(fields: &Fields<'_>) -> Result<DmaBlock, Fault> {
    Ok(DmaBlock { address: fields.hex("dma_addr")?, size_bytes: fields.number("size")? })
}

fn is_null(virtual_address: Option<&str>) -> bool {
    virtual_address.is_some_and(|text| {
        text == "(null)" || (!text.is_empty() && text.trim_start_matches("0x").bytes().all(|b| b == b'0'))
    })
}

fn list(fields: &Fields<'_>) -> Result<ScatterList, Fault> {
    let (blocks, physical) = (blocks(fields)?, physical(fields)?);
    let truncated = if fields.raw {
        fields.get("truncated").is_some_and(|text| text != "0")
    } else {
        // `nents=128/200` says how many entries were printed, and of how many.
        [fields.get("nents"), fields.get("ents")]
            .into_iter()
            .flatten()
            .any(|text| text.split_once('/').is_some_and(|(printed, all)| printed != all))
    };
    Ok(ScatterList { blocks, physical, truncated })
}

fn blocks(fields: &Fields<'_>) -> Result<Vec<DmaBlock>, Fault> {
    let addresses = fields.addresses("dma_addrs")?;
    let lengths = fields.lengths(if fields.raw { "lengths" } else { "sizes" })?;
    if addresses.len() != lengths.len() {
        return Err(Fault::Disagreement("there are not as many sizes as addresses"));
    }
    let pairs = addresses.into_iter().zip(lengths);
    Ok(pairs.map(|(address, size_bytes)| DmaBlock { address, size_bytes }).collect())
}

fn physical(fields: &Fields<'_>) -> Result<Vec<u64>, Fault> {
    // The raw form of `dma_unmap_sg` uses another name for the same list.
    fields.addresses(if fields.get("addrs").is_some() { "addrs" } else { "phys_addrs" })
}
