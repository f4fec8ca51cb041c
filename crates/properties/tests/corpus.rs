//! Every file of the corpus through the property that it belongs to: what was found once does not
//! come back.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use properties::TARGETS;

/// The corpus is read by every clone: seeds and finds, no harvest.
const CORPUS_BYTES_MAX: usize = 1 << 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

/// The files of one target.
fn files(target: &str) -> Vec<PathBuf> {
    let folder = folder().join(target);
    let entries = fs::read_dir(&folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_file_of_the_corpus_keeps_its_promise() {
    let mut broken = Vec::new();
    for target in TARGETS {
        let files = files(target.name);
        assert!(!files.is_empty(), "{} has no corpus", target.name);
        for file in files {
            let data = fs::read(&file).unwrap();
            if catch_unwind(|| (target.check)(&data)).is_err() {
                broken.push(format!("{}/{}", target.name, file.file_name().unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "a promise is broken by {broken:#?}");
}

#[test]
fn every_folder_of_the_corpus_has_a_target_and_all_are_small() {
    let mut bytes = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(TARGETS.iter().any(|target| target.name == name), "{name} is no target");
        bytes += files(&name).iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
    }
    assert!(bytes < CORPUS_BYTES_MAX as u64, "the corpus has {bytes} bytes");
}

/// Bytes that no corpus has, a few thousand a target: for whoever changes a property.
#[test]
fn bytes_at_random_break_nothing() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for target in TARGETS {
        let seeds: Vec<_> = files(target.name).iter().map(|file| fs::read(file).unwrap()).collect();
        for _ in 0..500 {
            let mut data = seeds[random() as usize % seeds.len()].clone();
            for _ in 0..1 + random() % 4 {
                let at = random() as usize % (data.len() + 1);
                match random() % 3 {
                    0 => data.insert(at, (random() >> 32) as u8),
                    1 if at < data.len() => data[at] = (random() >> 32) as u8,
                    _ => data.truncate(at.max(1)),
                }
            }
            (target.check)(&data);
        }
    }
}
