//! Tells the program which compiler made it. With the feature `kernel`: compiles the kernel's maple tree and its IOVA allocator from Debian's source package.
//!
//! Nothing of the kernel is part of this repository. The files are taken out of the package's archive into the build's
//! output directory.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=MAPLE_BENCH_RUSTC={}", compiler());
    #[cfg(feature = "kernel")]
    kernel::build();
}

/// The compiler's version and its target, on which counts of instructions depend.
fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").expect("cargo sets it");
    let version =
        std::process::Command::new(rustc).arg("--version").output().expect("the compiler runs").stdout;
    let target = std::env::var("TARGET").expect("cargo sets it");
    format!("{}, {target}", String::from_utf8_lossy(&version).trim())
}

#[cfg(feature = "kernel")]
mod kernel {
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::{env, fs};

    /// The archive, or a directory with the kernel's source.
    const LOCATION: &str = "LINUX_SOURCE";
    const PACKAGE: &str = "/usr/src/linux-source-6.12.tar.xz";

    /// What is compiled.
    const FILES: [&str; 8] = [
        "lib/maple_tree.c",
        "lib/rbtree.c",
        "drivers/iommu/iova.c",
        "include/linux/maple_tree.h",
        "include/linux/rbtree.h",
        "include/linux/rbtree_augmented.h",
        "include/linux/rbtree_types.h",
        "include/linux/iova.h",
    ];

    /// What these include besides: `shim.h` has what they need of it.
    const EMPTY: [&str; 21] = [
        "asm/barrier.h",
        "linux/bitops.h",
        "linux/compiler.h",
        "linux/container_of.h",
        "linux/cpu.h",
        "linux/dma-mapping.h",
        "linux/export.h",
        "linux/kernel.h",
        "linux/kmemleak.h",
        "linux/limits.h",
        "linux/module.h",
        "linux/rcupdate.h",
        "linux/slab.h",
        "linux/smp.h",
        "linux/spinlock.h",
        "linux/stddef.h",
        "linux/types.h",
        "linux/workqueue.h",
        "linux/xarray.h",
        "linux/seqlock.h",
        "trace/events/maple_tree.h",
    ];

    pub(super) fn build() {
        println!("cargo::rerun-if-env-changed={LOCATION}");
        println!("cargo::rerun-if-changed=kernel");
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
        let source = env::var_os(LOCATION).map_or_else(|| PACKAGE.into(), PathBuf::from);
        let files = if source.is_dir() { source } else { extract(&source, &out.join("linux")) };
        let include = headers(&files, &out.join("include"));

        let mut with_readers = compiler(&include);
        with_readers.define("SHIM_READERS", None).files(["kernel/maple_rcu.c", "kernel/rcu.c"]);
        let with_readers = with_readers.compile_intermediates();
        with_readers.iter().for_each(|object| hide_kernel(object));
        compiler(&include)
            .files(["kernel/slab.c", "kernel/maple.c", "kernel/iova.c", "kernel/iova_maple.c"])
            .file(files.join("lib/rbtree.c"))
            .objects(with_readers)
            .compile("kernel_peers");
    }

    /// As the kernel is compiled, but for the processor that it runs on.
    fn compiler(include: &Path) -> cc::Build {
        let mut build = cc::Build::new();
        build
            .include("kernel")
            .include(include)
            .flag("-include")
            .flag("kernel/shim.h")
            .opt_level(2)
            .debug(false)
            .flag("-march=native")
            // Not `-fPIC`: functions of one file may be inlined into each other.
            .pic(false)
            .flag("-fPIE")
            .flag("-std=gnu11")
            .flag("-fno-strict-aliasing")
            .flag("-fno-strict-overflow")
            .flag("-fno-delete-null-pointer-checks")
            .warnings(false);
        build
    }

    /// The kernel's tree is compiled twice: of the second one other files see only what is not the kernel's.
    fn hide_kernel(object: &Path) {
        let ours = ["peer_*", "rcu_*", "call_rcu"].map(|name| format!("--keep-global-symbol={name}"));
        let status = Command::new("objcopy")
            .arg("--wildcard")
            .args(ours)
            .arg(object)
            .status()
            .expect("objcopy can be run, of the binutils");
        assert!(status.success(), "objcopy could not change {}", object.display());
    }

    /// Takes the files out of the package's archive.
    fn extract(archive: &Path, to: &Path) -> PathBuf {
        println!("cargo::rerun-if-changed={}", archive.display());
        assert!(
            archive.exists(),
            "\n\nThe feature `kernel` compiles the kernel's own tree and allocator, and {} is not there.\n\
             Install Debian's package with `apt-get install linux-source-6.12`, or set {LOCATION} to its archive or \
             to a directory with the source of Linux 6.12.\n",
            archive.display(),
        );
        if FILES.iter().all(|file| to.join(file).exists()) {
            return to.into();
        }
        fs::create_dir_all(to).expect("the output directory can be written");
        let status = Command::new("tar")
            .args(["--extract", "--strip-components=1", "--no-anchored", "--wildcards", "--file"])
            .arg(archive)
            .arg("--directory")
            .arg(to)
            .args(FILES.map(|file| format!("linux-source-*/{file}")))
            .status()
            .expect("tar can be run");
        assert!(status.success(), "tar could not take the files out of {}", archive.display());
        to.into()
    }

    /// A directory for `#include`: the kernel's own headers that are used, and empty ones for the others.
    fn headers(files: &Path, to: &Path) -> PathBuf {
        let write = |name: &str, text: &str| {
            let path = to.join(name);
            fs::create_dir_all(path.parent().expect("has a directory")).expect("can be made");
            fs::write(path, text).expect("the output directory can be written");
        };
        for name in EMPTY {
            write(name, "");
        }
        let forward = |name: &str, file: &str| {
            write(name, &format!("#include \"{}\"\n", files.join(file).display()));
        };
        for header in ["maple_tree.h", "rbtree.h", "rbtree_augmented.h", "rbtree_types.h", "iova.h"] {
            forward(&format!("linux/{header}"), &format!("include/linux/{header}"));
        }
        forward("maple_tree.c", "lib/maple_tree.c");
        forward("iova_source.c", "drivers/iommu/iova.c");
        to.into()
    }
}
