//! Which resource and which field of an old declaration is which of a new one: by name, or by
//! `was` where the old name is gone and the new one was not there.

use model::model::{Field, FieldIndex, Model, Resource, ResourceIndex};
use model::query::Column;

/// Two declarations and what became of what.
#[derive(Clone, Copy)]
pub(crate) struct Models<'m> {
    pub(crate) old: &'m Model,
    pub(crate) new: &'m Model,
}

/// A resource that is there before and after.
#[derive(Clone, Debug)]
pub(crate) struct Pair<'m> {
    pub(crate) old: &'m Resource,
    pub(crate) new: &'m Resource,
    /// Where it stands in the new declaration.
    pub(crate) at: ResourceIndex,
    /// For each field of the new one where it stands in the old one.
    pub(crate) fields: Vec<Option<FieldIndex>>,
}

impl<'m> Models<'m> {
    /// For each resource of the new declaration the old one that it was.
    pub(crate) fn before(&self) -> Vec<Option<ResourceIndex>> {
        let [old, new] = [self.old, self.new].map(|model| {
            let names = model.resources.iter();
            names.map(|it| (it.name.as_str(), it.was.as_deref())).collect::<Vec<_>>()
        });
        matched(&old, &new)
    }

    /// The resources that are there before and after.
    pub(crate) fn pairs(&self) -> Vec<Pair<'m>> {
        let before = self.before().into_iter().enumerate();
        before.filter_map(|(at, was)| Some(Pair::new(*self, was?, at))).collect()
    }

    /// The resources that are new.
    pub(crate) fn added(&self) -> Vec<ResourceIndex> {
        let before = self.before().into_iter().enumerate();
        before.filter(|(_, was)| was.is_none()).map(|(at, _)| at).collect()
    }

    /// The resources that are gone.
    pub(crate) fn dropped(&self) -> Vec<&'m Resource> {
        let before = self.before();
        let gone = |(at, _): &(ResourceIndex, &Resource)| !before.contains(&Some(*at));
        self.old.resources.iter().enumerate().filter(gone).map(|(_, it)| it).collect()
    }
}

impl<'m> Pair<'m> {
    fn new(models: Models<'m>, was: ResourceIndex, at: ResourceIndex) -> Self {
        let (old, new) = (&models.old.resources[was], &models.new.resources[at]);
        let names = |fields: &'m [Field]| {
            fields.iter().map(|it| (it.name.as_str(), it.was.as_deref())).collect::<Vec<_>>()
        };
        let fields = matched(&names(&old.fields), &names(&new.fields));
        Self { old, new, at, fields }
    }

    /// What a field was before.
    pub(crate) fn was(&self, at: FieldIndex) -> Option<&'m Field> {
        self.fields[at].map(|was| &self.old.fields[was])
    }

    /// The fields that are gone.
    pub(crate) fn dropped(&self) -> Vec<&'m Field> {
        let gone = |(at, _): &(FieldIndex, &Field)| !self.fields.contains(&Some(*at));
        self.old.fields.iter().enumerate().filter(gone).map(|(_, it)| it).collect()
    }

    /// Fields with another name than before: the old one and the new one.
    pub(crate) fn renamed(&self) -> Vec<(&'m Field, &'m Field)> {
        let pairs = self.new.fields.iter().enumerate();
        pairs
            .filter_map(|(at, field)| Some((self.was(at)?, field)))
            .filter(|(was, field)| was.name != field.name)
            .collect()
    }

    /// A group of fields of the old resource by the names that they have now. None where one of
    /// them is gone.
    pub(crate) fn names_now(&self, group: &[FieldIndex]) -> Option<Vec<String>> {
        group.iter().map(|was| self.name_now(*was)).collect()
    }

    /// The same of columns.
    pub(crate) fn columns_now(&self, group: &[Column]) -> Option<Vec<String>> {
        let now = |column: &Column| match column {
            Column::Field(was) => self.name_now(*was),
            Column::Id | Column::CreatedAt | Column::UpdatedAt => {
                Some(column.name(self.old).to_owned())
            }
        };
        group.iter().map(now).collect()
    }

    fn name_now(&self, was: FieldIndex) -> Option<String> {
        let at = self.fields.iter().position(|it| *it == Some(was))?;
        Some(self.new.fields[at].name.clone())
    }
}

/// For each new (name, was) the old one.
fn matched(old: &[(&str, Option<&str>)], new: &[(&str, Option<&str>)]) -> Vec<Option<usize>> {
    let there = |name: &str| old.iter().position(|(old, _)| *old == name);
    let mut found: Vec<Option<usize>> = new
        .iter()
        .map(|(name, was)| {
            there(name).or_else(|| {
                let was = there((*was)?)?;
                let is_free = new.iter().all(|(other, _)| *other != old[was].0);
                is_free.then_some(was)
            })
        })
        .collect();
    // Tables and columns are named without regard to case: such a name is the same one.
    for at in 0..new.len() {
        let same = |(old, _): &(&str, Option<&str>)| old.eq_ignore_ascii_case(new[at].0);
        if let (None, Some(was)) = (found[at], old.iter().position(same))
            && !found.contains(&Some(was))
        {
            found[at] = Some(was);
        }
    }
    found
}
