//! Pairing scatter lists that were cut.

use super::*;

#[test]
fn truncated_lists_pair_by_their_start() {
    let list =
        |count: u64| (1..=count).map(|frame| format!("{:#x}", frame << 12)).collect::<Vec<_>>().join(",");
    let map = |printed: u64, first: &str| {
        format!(
            "0 7 dma_map_sg: nic dir=NONE nents={printed}/200 ents=1/1 [TRUNCATED] dma_addrs={{{first}}} sizes={{0xc8000}} phys_addrs={{{}}} attrs=",
            list(printed)
        )
    };
    let unmap =
        |printed: u64| format!("0 7 dma_unmap_sg: nic dir=NONE phys_addrs={{{}}} attrs=", list(printed));
    let requests =
        requests(&[&map(128, "0x100000"), &map(128, "0x300000"), &unmap(200), &unmap(128), &unmap(3)]);
    assert_eq!(
        short(&requests),
        ["1 0 +0x100+200<=0xfffff", "2 0 +0x300+200<=0xfffff", "3 0 -0x100+200", "4 0 -0x300+200"]
    );
    assert_eq!((requests.counts.truncated_lists, requests.counts.unmatched_frees), (2, 1));
}

#[test]
fn short_truncated_lists_pair_by_their_start_in_their_order() {
    let map = |dma: &str, list: &str| {
        format!(
            "0 7 dma_map_sg: nic dir=NONE nents=2/9 ents=1/1 [TRUNCATED] dma_addrs={{{dma}}} sizes={{0x1000}} phys_addrs={{{list}}} attrs="
        )
    };
    let unmap = |list: &str| format!("0 7 dma_unmap_sg: nic dir=NONE phys_addrs={{{list}}} attrs=");
    let requests = requests(&[
        &map("0x100000", "0x1000,0x2000"),
        &map("0x200000", "0x1000"),
        &map("0x300000", "0x1000,0x2000"),
        &unmap("0x1000,0x2000,0x3000"),
        &unmap("0x1000,0x2000,0x3000"),
        &unmap("0x1000,0x2000,0x3000"),
        &unmap("0x1000,0x2000,0x3000"),
    ]);
    assert_eq!(short(&requests)[3..], ["4 0 -0x100+1", "5 0 -0x200+1", "6 0 -0x300+1"]);
    assert_eq!(requests.counts.unmatched_frees, 1);
}
