use maple_tree::*;
fn run<L: TracksGaps>(seed: u64, space: u64, ops: u32) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut t: MapleTree<(), L> = MapleTree::new();
    let mut m = vec![0u32; space as usize];
    let mut next = 1;
    let base = 0u64;
    for op in 0..ops {
        let first = rng.u64(0..space);
        let before = "";
        if rng.bool() {
            let last = (first + {
                let k = rng.u32(0..5);
                rng.u64(0..1 << k)
            })
            .min(space - 1);
            let free = m[first as usize..=last as usize].iter().all(|&x| x == 0);
            let r = t.insert(base + first..=base + last, ());
            assert_eq!(r.is_ok(), free, "seed {seed} op {op} {before}");
            if free {
                for x in &mut m[first as usize..=last as usize] {
                    *x = next;
                }
                next += 1;
            }
        } else {
            let e = t.erase(base + first);
            let id = m[first as usize];
            assert_eq!(e.is_some(), id != 0);
            if id != 0 {
                for x in m.iter_mut() {
                    if *x == id {
                        *x = 0;
                    }
                }
            }
        }
        if let Err(v) = t.validate() {
            panic!("seed {seed} op {op}: {v}\nbefore\n{before}\nafter\n{}", t.dump());
        }
        for _ in 0..2 {
            let a = rng.u64(0..space);
            let b = rng.u64(a..space);
            let size = 1 + {
                let k = rng.u32(0..5);
                rng.u64(0..1 << k)
            };
            let align = 1 << rng.u32(0..4);
            for d in [Direction::TopDown, Direction::BottomUp] {
                let q = GapRequest::new(a..=b, size, align, d).unwrap();
                let mut fits = (a..=b).filter(|&s| {
                    s % align == 0 && s + size - 1 <= b && (s..s + size).all(|i| m[i as usize] == 0)
                });
                let want = match d {
                    Direction::TopDown => fits.last(),
                    Direction::BottomUp => fits.next(),
                };
                assert_eq!(
                    t.find_gap(&q).map(|r| r.first()),
                    want,
                    "seed {seed} op {op} {q:?}\n{}",
                    t.dump()
                );
            }
        }
    }
}
#[test]
fn small() {
    for s in 0..200 {
        run::<SmallGaps>(s, 64, 2000);
        run::<SmallGaps>(s, 256, 2000);
    }
}
#[test]
fn real() {
    for s in 0..50 {
        run::<Gaps>(s, 256, 2000);
        run::<Gaps>(s, 1024, 2000);
    }
}
