//! The disk that forgets (`tests/disk/forgetful.c`), seen from the test: it is built once, stands
//! in front of the server's files, and is told when to fail and when the power goes.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::property::chance::Chance;
use crate::support::server::Options;

/// No space left on device.
pub(super) const ENOSPC: i32 = 28;
/// Input/output error.
pub(super) const EIO: i32 = 5;
/// The call says that it succeeded, and does nothing.
pub(super) const LIE: i32 = -1;
/// Every call from now on.
pub(super) const ALWAYS: i32 = -1;

/// Bytes that a disk writes as one.
const SECTOR: usize = 512;
const SUFFIXES: [&str; 3] = ["", "-wal", "-journal"];

/// What fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    /// write, pwrite
    Write,
    /// fsync, fdatasync
    Sync,
    /// read, pread
    Read,
}

/// Where it fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The database itself.
    Database,
    /// The log ahead of it.
    Log,
}

/// A disk with one database.
pub(super) struct Disk {
    folder: TempDir,
    control: File,
}

impl Disk {
    /// An empty one.
    pub(super) fn new() -> Self {
        let folder =
            tempfile::Builder::new().prefix("methodical-disk-").tempdir().expect("a folder");
        for name in ["real", "shadow"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let control = File::options()
            .create_new(true)
            .read(true)
            .write(true)
            .open(folder.path().join("control"))
            .expect("a file");
        control.set_len(4096).expect("a file grows");
        Self { folder, control }
    }

    /// Puts the database of a server onto this disk.
    pub(super) fn under(&self, options: Options) -> Options {
        let path = |path: PathBuf| path.to_str().expect("a path in UTF-8").to_owned();
        let control = self.folder.path().canonicalize().expect("a folder").join("control");
        options
            .set("database", &path(self.database()))
            .environment("LD_PRELOAD", &path(library().to_owned()))
            .environment("FORGETFUL_DATABASE", &path(self.database()))
            .environment("FORGETFUL_SHADOW", &path(self.folder("shadow")))
            .environment("FORGETFUL_CONTROL", &path(control))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("a folder").join(name)
    }

    /// The database's file.
    pub(super) fn database(&self) -> PathBuf {
        self.folder("real").join("data.db")
    }

    /// Lets calls fail: after `skip` that succeed, the next `count`.
    pub(super) fn fail(&self, what: Operation, place: Place, error: i32, skip: i32, count: i32) {
        // The error last: it is what makes the rule hold.
        for (at, value) in [(0, 0), (1, skip), (2, count), (0, error)] {
            self.put(rule(what, place) + at, value);
        }
    }

    /// Every call succeeds again.
    pub(super) fn heal(&self) {
        for what in [Operation::Write, Operation::Sync, Operation::Read] {
            for place in [Place::Database, Place::Log] {
                self.put(rule(what, place), 0);
            }
        }
    }

    /// How many calls have failed.
    pub(super) fn met(&self, what: Operation, place: Place) -> i32 {
        self.get(rule(what, place) + 3)
    }

    /// How many calls there were.
    pub(super) fn calls(&self, what: Operation, place: Place) -> i32 {
        self.get(rule(what, place) + 4)
    }

    /// How long a sync takes, in microseconds.
    pub(super) fn slow_down(&self, delay: i32) {
        self.put(60, delay);
    }

    fn put(&self, at: u64, value: i32) {
        self.control.write_all_at(&value.to_ne_bytes(), at * 4).expect("the control file");
    }

    fn get(&self, at: u64) -> i32 {
        let mut bytes = [0; 4];
        self.control.read_exact_at(&mut bytes, at * 4).expect("the control file");
        i32::from_ne_bytes(bytes)
    }

    /// The power goes, after the process was killed. What was not synced is gone, or, with chance,
    /// some sectors of it are and others are not.
    pub(super) fn cut(&self, mut chance: Option<&mut Chance>) {
        let database = self.database();
        for suffix in SUFFIXES {
            let real = beside(&database, suffix);
            let durable = beside(&self.folder("shadow").join("data.db"), suffix);
            let content = beside(&durable, ".content");
            let mut image = fs::read(&durable).ok();
            if let (Some(image), Some(chance)) = (&mut image, &mut chance)
                && is_same(&durable, &content)
                && let Ok(now) = fs::read(&real)
            {
                mix(image, &now, chance);
            }
            for path in [&real, &durable, &content] {
                // Not each of them is always there.
                let _ = fs::remove_file(path);
            }
            if let Some(image) = image {
                fs::write(&real, &image).expect("a file");
                fs::write(&content, &image).expect("a file");
                fs::hard_link(&content, &durable).expect("a name");
            }
        }
        // Shared memory does not outlive the power.
        let _ = fs::remove_file(beside(&database, "-shm"));
    }
}

/// Where a rule stands, in words of four bytes: error, skip, count, met, calls.
fn rule(what: Operation, place: Place) -> u64 {
    (what as u64 * 3 + place as u64) * 5
}

/// `data.db` and `-wal` are `data.db-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn is_same(one: &Path, other: &Path) -> bool {
    let inode = |path: &Path| fs::metadata(path).map(|metadata| metadata.ino()).ok();
    inode(one).is_some() && inode(one) == inode(other)
}

/// Sectors that were written and not synced reach the disk, or do not, each by chance.
fn mix(image: &mut Vec<u8>, now: &[u8], chance: &mut Chance) {
    for (number, sector) in now.chunks(SECTOR).enumerate() {
        let from = number * SECTOR;
        let to = from + sector.len();
        if image.get(from..to) == Some(sector) || chance.once_in(2) {
            continue;
        }
        if image.len() < to {
            image.resize(to, 0);
        }
        image[from..to].copy_from_slice(sector);
    }
}

/// The library, built by the C compiler that the database is built with, once a run.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disk/forgetful.c");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let library = folder.join(format!("forgetful-{}.so", std::process::id()));
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let built = Command::new(&compiler)
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&library, &source])
            .args(["-ldl", "-lpthread"])
            .output()
            .unwrap_or_else(|error| panic!("{compiler} does not run: {error}"));
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{compiler} refuses {}:\n{said}", source.display());
        library
    })
}
