//! The seed of a fresh database: one NDJSON file a resource.

use std::io::ErrorKind;
use std::path::Path;

use engine::seed::File;
use model::model::{Model, ResourceIndex};
use model::record::Record;

/// The ending of a file of records.
const ENDING: &str = "ndjson";

/// Reads the seed folder that the declaration names, if it names one. A resource without a file
/// begins empty.
///
/// # Errors
/// A folder or file that cannot be read, a file of no resource, or the lines that do not fit, by
/// file and line.
pub(crate) fn read(dir: &Path, model: &Model) -> Result<Vec<(ResourceIndex, Record)>, String> {
    let Some(folder) = &model.seed else { return Ok(Vec::new()) };
    let folder = dir.join(folder);
    refuse_strangers(&folder, model)?;
    let mut files = Vec::new();
    for (index, resource) in model.resources.iter().enumerate() {
        let path = folder.join(format!("{}.{ENDING}", resource.name));
        let name = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => files.push(File { resource: index, text, name }),
            Err(fault) if fault.kind() == ErrorKind::NotFound => {}
            Err(fault) => return Err(format!("{name} cannot be read: {fault}")),
        }
    }
    engine::seed::read(model, &files, engine::clock::now())
}

/// A misspelt file would be left out silently.
fn refuse_strangers(folder: &Path, model: &Model) -> Result<(), String> {
    let entries = std::fs::read_dir(folder)
        .map_err(|fault| format!("{} cannot be read: {fault}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_records = path.extension().is_some_and(|ending| ending == ENDING);
        if is_records && !model.resources.iter().any(|resource| resource.name == stem) {
            return Err(format!(
                "{} belongs to no resource; its name has to be RESOURCE.{ENDING}",
                path.display()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::read;

    #[test]
    fn files_are_read_by_the_names_of_resources() {
        let folder = tempfile::tempdir().unwrap();
        let text = "title = \"T\"\nseed = \"seed/\"\n\
                    [resources.a]\nfields.b = { type = \"string\" }\n\
                    [resources.c]\nfields.d = { type = \"string\" }\n";
        let model = model::declaration::read(text).model.unwrap();
        assert!(read(folder.path(), &model).unwrap_err().contains("seed"));
        let seed = folder.path().join("seed");
        std::fs::create_dir(&seed).unwrap();
        assert!(read(folder.path(), &model).unwrap().is_empty());
        std::fs::write(seed.join("a.ndjson"), "{\"b\":\"x\"}\n\n{\"b\":\"y\"}\n").unwrap();
        std::fs::write(seed.join("README"), "hello").unwrap();
        assert_eq!(read(folder.path(), &model).unwrap().len(), 2);
        std::fs::write(seed.join("as.ndjson"), "").unwrap();
        assert!(read(folder.path(), &model).unwrap_err().contains("as.ndjson"));
    }
}
