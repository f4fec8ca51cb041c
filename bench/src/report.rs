//! Figures as a table that says plainly what is reached and what is missed.

use std::fmt::Write as _;

use crate::machine::Machine;
use crate::measure::{BUSY, Effort, Fault, Figure, Footprint};
use crate::overload::{Bound, Findings};

/// What must be reached of a process: cold start in milliseconds, memory in megabytes; and what
/// to dream of.
const START: (f64, f64) = (50.0, 20.0);
const IDLE: (f64, f64) = (25.0, 12.0);
const LOADED: (f64, f64) = (100.0, 50.0);

/// Where and when figures were measured.
#[derive(Clone, Debug)]
pub(crate) struct Circumstances {
    /// The machine.
    pub(crate) machine: Machine,
    /// The day, from the caller: nothing here reads a clock but to measure.
    pub(crate) date: String,
    /// The commit of the server.
    pub(crate) commit: String,
    /// The compiler.
    pub(crate) compiler: String,
    /// How long and how often.
    pub(crate) effort: Effort,
    /// True where server and load had a core each.
    pub(crate) pinned: bool,
    /// The load averages of the machine at the end: over one, five and fifteen minutes.
    pub(crate) load: String,
}

const TABLE: &str = "| work | rows | baseline/s | ours/s | ratio | by CPU | at least | moonshot | \
    | p50 / p99 ms | remarks |\n\
    | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: | --- |\n";
/// Where growth is measured from.
const FROM: u64 = 10_000;

/// The figures of single records.
pub(crate) fn records(place: &Circumstances, figures: &[Figure], prints: &[Footprint]) -> String {
    let mut out = head(place);
    out.push_str(
        "Baselines: for reads a bare hyper server that sends the same number of bytes; for POST \
         the server's own INSERT by raw SQLite, `synchronous=FULL`, on the same tables with the \
         same indexes and triggers (and, under remarks, without the triggers), in transactions of \
         as many as there are connections.\n\n",
    );
    out.push_str(&quiet(figures));
    out.push_str(TABLE);
    out.extend(figures.iter().map(line));
    out.extend(prints.iter().map(footprint));
    let mut missed = missed(figures);
    missed.extend(prints.iter().flat_map(heavy));
    out.push_str(&list(&missed, figures.len() + prints.len() * 3));
    out
}

/// The figures of lists and many records.
pub(crate) fn lists(place: &Circumstances, figures: &[Figure], faults: &[Fault]) -> String {
    let mut out = head(place);
    out.push_str(
        "Baselines: for reads of a page a bare hyper server that sends the same number of bytes; \
         for the others what stands under remarks. Every request is another one, so that no answer \
         is one that the server has kept. There are as many orders as rows, an eighth as many \
         customers, and as many documents (of 20 to 50 words by Zipf's law) as rows, but a \
         million at most. `synchronous=FULL`.\n\n",
    );
    out.push_str(&quiet(figures));
    out.push_str(TABLE);
    out.extend(figures.iter().map(line));
    let (table, mut grown) = growth(figures);
    out.push_str(&table);
    let mut missed = missed(figures);
    missed.append(&mut grown);
    missed.extend(faults.iter().map(fault));
    out.push_str(&list(&missed, figures.len() + faults.len()));
    out
}

/// The figures of credentials, rules and logins.
pub(crate) fn access(place: &Circumstances, figures: &[Figure], faults: &[Fault]) -> String {
    let mut out = head(place);
    out.push_str(
        "Baselines are our own: the same records in tables of the same size without credentials, \
         or with the same credentials and a filter in the place of the rule; both sides are \
         checked to answer the same. \"At least\" 0.87 is at most 15 % more, 0.77 at most 1.3 \
         times, 0.5 at most 2 times. Where it says \"kept\", 16 requests come again and again; \
         elsewhere none comes twice. 16 users are signed in, each with 100 of the records.\n\n",
    );
    out.push_str(&quiet(figures));
    out.push_str(TABLE);
    out.extend(figures.iter().map(line));
    let mut missed = missed(figures);
    missed.extend(faults.iter().map(fault));
    out.push_str(&list(&missed, figures.len() + faults.len()));
    out
}

/// The figures of more than can be served.
pub(crate) fn overload(place: &Circumstances, findings: &Findings) -> String {
    let Findings { figures, bounds, faults } = findings;
    let mut out = head(place);
    out.push_str(
        "Baselines are the best that the server does of the same, from as many connections as that \
         takes. Only what was carried out counts as served. Long reads pass over all users, each \
         for another address; whoever asks for them at ten times the rate asks again a second \
         after each answer, as a refusal says.\n\n",
    );
    out.push_str(TABLE);
    out.extend(figures.iter().map(line));
    out.push_str("\n| what | of | median | worst | at most | |\n");
    out.push_str("| --- | ---: | ---: | ---: | ---: | --- |\n");
    out.extend(bounds.iter().map(bound));
    let mut missed = missed(figures);
    missed.extend(bounds.iter().filter(|bound| bound.value.0 > bound.most).map(|bound| {
        let Bound { name, value, unit, most, .. } = bound;
        format!("- {name}: {:.1} {unit}, at most {most} is wanted\n", value.0)
    }));
    missed.extend(faults.iter().map(fault));
    out.push_str(&list(&missed, figures.len() + bounds.len() + faults.len()));
    out
}

fn bound(bound: &Bound) -> String {
    let Bound { name, number, value: (median, worst), unit, most } = bound;
    format!(
        "| {name} | {} | {median:.1} {unit} | {worst:.1} | {most} | {} |\n",
        thousands(*number as f64),
        reached(median <= most, false)
    )
}

fn fault(fault: &Fault) -> String {
    let Fault { name, size, why } = fault;
    format!("- {name}, {} rows: could not be measured: {why}\n", thousands(*size as f64))
}

/// How much longer the lines take among more records, and which of them take too long.
fn growth(figures: &[Figure]) -> (String, Vec<String>) {
    let mut out = format!(
        "\n## Growth\n\nHow much longer one takes than among {} rows: by processor time, and by \
         the clock; and the baseline's processor time, which for bulks and exports is that of raw \
         SQLite among as many.\n\n\
         | work | rows | by CPU | by the clock | baseline | at most | |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | --- |\n",
        thousands(FROM as f64)
    );
    let mut missed = Vec::new();
    for figure in figures.iter().filter(|figure| figure.size > FROM) {
        let (name, Some(most)) = (figure.aim.name, figure.aim.grows) else { continue };
        let from = figures.iter().find(|other| other.size == FROM && other.aim.name == name);
        let Some(from) = from else { continue };
        let (cpu, clock) = (figure.effort.2 / from.effort.2, from.ours / figure.ours);
        let theirs = figure.effort.1 / from.effort.1;
        let rows = thousands(figure.size as f64);
        let state = if cpu <= most { "reached" } else { "**missed**" };
        let _ = writeln!(
            out,
            "| {name} | {rows} | {cpu:.2} | {clock:.2} | {theirs:.2} | {most} | {state} |"
        );
        if cpu > most {
            missed.push(format!("- {name}, {rows} rows: grows {cpu:.2} times, at most {most}\n"));
        }
    }
    (out, missed)
}

fn head(place: &Circumstances) -> String {
    let Circumstances { machine, date, commit, compiler, effort, pinned, load } = place;
    let pinned = if *pinned {
        "servers on core 0, load on core 1"
    } else {
        "servers and load NOT pinned: read with care"
    };
    format!(
        "# Figures of {date}\n\n\
         {processor}, {cores} cores, {memory} MB; {kernel}; {compiler}; commit {commit}.\n\
         {pinned}; keep-alive over loopback, one request at a time on each connection; runs of \
         {time} s, {rounds} of each side, in turn; medians. A ratio is the median of the ratios of \
         neighbouring runs. \
         The server runs with its defaults: `synchronous=FULL`, one log line a request. The load \
         averages of the machine were {load} at the end: the bench itself is about 2 of \
         it.\n\n",
        processor = machine.processor,
        cores = machine.cores,
        memory = machine.memory,
        kernel = machine.kernel,
        time = effort.time.as_secs_f64(),
        rounds = effort.rounds,
    )
}

/// Whether the machine had other work.
fn quiet(figures: &[Figure]) -> String {
    let most = figures.iter().map(|figure| figure.waited).fold(0.0, f64::max);
    let mean =
        figures.iter().map(|figure| figure.waited).sum::<f64>() / figures.len().max(1) as f64;
    let verdict = if mean <= BUSY {
        "the machine was quiet"
    } else {
        "**the machine was busy with other work: no ratio but the one by CPU time means much, and \
         the worse of the two is judged**"
    };
    format!(
        "While they were ready to run, the baselines waited for their core {:.0} % of the time on \
         average and {:.0} % at most: {verdict}. \"By CPU\" compares the processor time that \
         an answer took.\n\n",
        mean * 100.0,
        most * 100.0
    )
}

fn reached(is_reached: bool, is_moonshot: bool) -> &'static str {
    match (is_reached, is_moonshot) {
        (_, true) => "moonshot",
        (true, _) => "reached",
        _ => "**missed**",
    }
}

fn line(figure: &Figure) -> String {
    let Figure { aim, size, baseline, plain, ours, ratio, effort, latency, note, .. } = figure;
    let (by_time, theirs, own) = effort;
    let effort = format!("{by_time:.2} ({theirs:.1} / {own:.1} µs)");
    let mut remarks = note.clone();
    if let Some((rate, ratio)) = plain {
        let _ = write!(remarks, "without triggers {}/s: {ratio:.2}", thousands(*rate));
    }
    format!(
        "| {name} | {size} | {baseline} | {ours} | {ratio:.2} | {effort} | {least} | \
        {moonshot} | {state} | \
         {p50:.2} / {p99:.2} | {remarks} |\n",
        name = aim.name,
        size = thousands(*size as f64),
        baseline = thousands(*baseline),
        ours = thousands(*ours),
        least = wanted(aim.least > 0.0, (aim.least * 100.0).round() / 100.0),
        moonshot = wanted(aim.moonshot.is_finite(), aim.moonshot),
        state = if aim.least > 0.0 {
            reached(figure.judged() >= aim.least, figure.judged() >= aim.moonshot)
        } else {
            ""
        },
        p50 = latency.per_mille(500),
        p99 = latency.per_mille(990),
    )
}

fn wanted(is_wanted: bool, ratio: f64) -> String {
    if is_wanted { ratio.to_string() } else { String::new() }
}

fn parts(print: &Footprint) -> [(&'static str, &'static str, f64, (f64, f64)); 3] {
    [
        ("cold start to the first answer", "ms", print.start, START),
        ("memory, idle", "MB", print.idle, IDLE),
        ("memory, after the load", "MB", print.loaded, LOADED),
    ]
}

fn footprint(print: &Footprint) -> String {
    let size = thousands(print.size as f64);
    let line = |(name, unit, value, (most, moonshot)): (&str, &str, f64, (f64, f64))| {
        let state = reached(value <= most, value <= moonshot);
        format!(
            "| {name} | {size} | | {value:.1} {unit} | | | at most {most} | {moonshot} | \
            {state} | | |\n"
        )
    };
    parts(print).map(line).concat()
}

/// The lines that were missed, once more, so that nobody has to look for them.
fn missed(figures: &[Figure]) -> Vec<String> {
    let missed = figures.iter().filter(|figure| figure.judged() < figure.aim.least);
    let line = |figure: &Figure| {
        let size = thousands(figure.size as f64);
        let (name, least) = (figure.aim.name, figure.aim.least);
        format!("- {name}, {size} rows: {:.2}, at least {least:.2} is wanted\n", figure.judged())
    };
    missed.map(line).collect()
}

/// What a process takes too much of.
fn heavy(print: &Footprint) -> Vec<String> {
    let size = thousands(print.size as f64);
    let line = |(name, unit, value, (most, _)): (&str, &str, f64, (f64, f64))| {
        format!("- {name}, {size} rows: {value:.1} {unit}, at most {most} is wanted\n")
    };
    parts(print).into_iter().filter(|(_, _, value, (most, _))| value > most).map(line).collect()
}

fn list(missed: &[String], all: usize) -> String {
    format!("\n{} of {all} lines are missed.\n\n{}", missed.len(), missed.concat())
}

/// A number with a comma every three digits.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn commas() {
        assert_eq!(
            [0.0, 999.4, 1000.0, 1_234_567.0].map(thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
