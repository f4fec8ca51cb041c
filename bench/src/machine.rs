//! What a figure was measured on.

use std::fs;

/// The machine, as far as a reader needs it to compare.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// The processor's model.
    pub(crate) processor: String,
    /// How many of its cores there are.
    pub(crate) cores: usize,
    /// The kernel's name and release.
    pub(crate) kernel: String,
    /// Memory in megabytes.
    pub(crate) memory: u64,
}

impl Machine {
    /// This machine.
    pub(crate) fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let after = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map_or("unknown", |(_, value)| value.trim()).to_owned()
        };
        let memory = after(&read("/proc/meminfo"), "MemTotal");
        let kibibytes = memory.split_whitespace().next().and_then(|text| text.parse::<u64>().ok());
        let cores = read("/proc/cpuinfo").lines().filter(|l| l.starts_with("processor")).count();
        Self {
            processor: after(&read("/proc/cpuinfo"), "model name"),
            cores,
            kernel: format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
            memory: kibibytes.unwrap_or(0) / 1000,
        }
    }

    /// A name for files: the processor and its cores.
    pub(crate) fn slug(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let name: String = self.processor.chars().map(plain).collect();
        let words: Vec<&str> = name.split('-').filter(|word| !word.is_empty()).collect();
        format!("{}-{}-cores", words.join("-"), self.cores)
    }
}
