//! What must be known before something is answered or decided: a tree of records, found in one
//! snapshot, level by level.

use model::model::ResourceIndex;
use model::query::{Aggregate, Count, Filter, Position, Relation, Sort};
use model::record::Record;
use model::value::{Id, Timestamp, Value};

use crate::audit_log::{Acts, Entry};
use crate::code::Code;
use crate::credential::{Credential, Session, TokenHash};
use crate::dependents::Dependents;
use crate::log::{Log, Since};
use crate::queue::{Jobs, Waiting};

/// What must be known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lookup {
    /// The remembered answer to an Idempotency-Key.
    pub remembered: Option<KeyHash>,
    /// The resources whose change counters are read: part of the ETag of whatever was read from
    /// their tables.
    pub states: Vec<ResourceIndex>,
    /// What is looked up, each with what hangs on it.
    pub roots: Vec<Node>,
    /// A part of the change log.
    pub log: Option<Since>,
    /// The session or key that this is the hash of the token of.
    pub credential: Option<TokenHash>,
    /// The sessions of this user that have not expired, the newest first.
    pub sessions: Option<Id>,
    /// A part of the audit log.
    pub acts: Option<Box<Acts>>,
    /// What is seldom asked for.
    pub beside: Option<Box<Beside>>,
}

/// What is seldom asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beside {
    /// The code that this is the hash of.
    pub code: Option<TokenHash>,
    /// The address that this user has confirmed.
    pub confirmed: Option<Id>,
    /// Jobs of the queue.
    pub jobs: Option<Jobs>,
}

impl Lookup {
    /// A lookup of one root.
    #[must_use]
    pub fn of(root: Node) -> Self {
        Self { roots: vec![root], ..Self::default() }
    }

    /// A lookup of what is seldom asked for.
    #[must_use]
    pub fn beside(beside: Beside) -> Self {
        Self { beside: Some(Box::new(beside)), ..Self::default() }
    }

    /// A lookup of the change counters of some tables, which say whether what was read from them
    /// is as it was.
    #[must_use]
    pub fn states(states: Vec<ResourceIndex>) -> Self {
        Self { states, ..Self::default() }
    }
}

/// Records of one resource, and what is wanted with each of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The resource.
    pub resource: ResourceIndex,
    /// Which of its records.
    pub pick: Pick,
    /// Only of these records, for `Key` and `Related`: what the caller does not see is not found.
    /// (`Page`, `Groups` and `Number` have a filter of their own.)
    pub among: Filter,
    /// What is wanted with each of them, by relation.
    pub children: Vec<Child>,
}

impl Node {
    /// Records without what hangs on them.
    #[must_use]
    pub fn new(resource: ResourceIndex, pick: Pick) -> Self {
        Self { resource, pick, among: Filter::all(), children: Vec::new() }
    }

    /// One record by its id.
    #[must_use]
    pub fn key(resource: ResourceIndex, id: Id) -> Self {
        Self::new(resource, Pick::Key(id))
    }
}

/// Which records of a resource.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// The one with this id.
    Key(Id),
    /// A page of those that match.
    Page(Page),
    /// Those that the parent's relation leads to, by id. For children only.
    Related {
        /// The most records that are read for one parent.
        each: u32,
        /// The most records that are read for all parents together.
        limit: u32,
    },
    /// No records: what records come to together, a page of groups.
    Groups(Groups),
    /// No records: how many match.
    Number(Filter),
    /// No records: what the deletion of this one would delete, clear or be refused for.
    Dependents {
        /// The record.
        id: Id,
        /// The most records that may be deleted or cleared along; beyond it finding stops.
        limit: u32,
        /// Which records of each resource are counted, for the caller does not see the others;
        /// empty: all.
        seen: Vec<Filter>,
    },
    /// No records: the id that the next insert gets, where ids are integers. Inside a Write only.
    NextId,
}

/// A page of an ordered list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Which records.
    pub filter: Filter,
    /// In which order; the store adds the id, in the direction of the last key, to make it total.
    pub sort: Vec<Sort>,
    /// In the order of how well they match what the filter searches for; `sort` says nothing then.
    pub is_ranked: bool,
    /// Behind which record the page begins, or before which it ends; it still is in the order.
    pub after: Option<Position>,
    /// How many are passed over.
    pub offset: u64,
    /// How many are read.
    pub limit: u32,
    /// How exactly the total is wanted.
    pub count: Count,
}

/// A page of groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    /// Of which records.
    pub filter: Filter,
    /// What is asked of them.
    pub aggregate: Aggregate,
    /// How many groups are passed over.
    pub offset: u64,
    /// How many are read.
    pub limit: u32,
    /// How exactly the number of groups is wanted.
    pub count: Count,
}

/// What hangs on each record of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// How it is reached.
    pub relation: Relation,
    /// What is wanted there; its pick is `Pick::Related`.
    pub node: Node,
}

/// What was found: one `Found` a root, in order, all from one snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Current {
    /// What was remembered for the key, if it has not expired.
    pub remembered: Option<Remembered>,
    /// One change counter a state: it grows with every write to the table, from outside too.
    pub states: Vec<i64>,
    /// One a root.
    pub roots: Vec<Found>,
    /// What the change log holds, where it was asked for.
    pub log: Option<Log>,
    /// The session or key that was asked for, if there is one and it has not expired.
    pub credential: Option<Credential>,
    /// The sessions that were asked for.
    pub sessions: Vec<Session>,
    /// The acts that were asked for.
    pub acts: Vec<Entry>,
    /// The code that was asked for, if it is good.
    pub code: Option<Code>,
    /// The address that was confirmed.
    pub confirmed: Option<String>,
    /// The jobs that were asked for.
    pub jobs: Vec<Waiting>,
}

/// What was found for one node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The records, in order.
    pub rows: Vec<Row>,
    /// How badly each of the records matches, in their order, where they are ranked.
    pub ranks: Vec<f64>,
    /// The groups, in order (`Pick::Groups`).
    pub groups: Vec<Group>,
    /// How many records or groups match, where it was asked for.
    pub total: Option<Total>,
    /// True of what hangs on a record where there is more of it than was to be read.
    pub is_cut: bool,
    /// What depends on a record (`Pick::Dependents`).
    pub dependents: Option<Dependents>,
    /// The next id (`Pick::NextId`).
    pub next_id: Option<i64>,
}

/// A record and what was found with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The record.
    pub record: Record,
    /// One a child of the node, in order.
    pub children: Vec<Found>,
}

/// What the records of a group come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they have in common, in the order of `group_by`; null where they have no value.
    pub keys: Vec<Value>,
    /// What was measured, in the order of `measures`.
    pub measures: Vec<Measured>,
}

/// A measure taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// There was nothing to measure, or no finite number holds it.
    Nothing,
    /// A number of records, or an exact sum.
    Whole(i128),
    /// A value of the column, or a number.
    Value(Value),
}

/// A number of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// How many.
    pub records: u64,
    /// True where counting stopped and there are more.
    pub is_lower_bound: bool,
}

/// Which remembered answer: a keyed hash over principal, method, target and key.
pub type KeyHash = [u8; 16];

/// An answer kept for an Idempotency-Key. The store does not read its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Its key.
    pub key: KeyHash,
    /// Whose it is (for the bound per principal).
    pub principal: KeyHash,
    /// Keyed hash of the request's content, query and conditions.
    pub fingerprint: [u8; 16],
    /// The answer, in the engine's form.
    pub answer: Vec<u8>,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}
