//! **Who may do what**: each kind of caller against each operation on each target, by rules that
//! are written here by hand; and everything by which what is hidden could be found out.

mod infer;
mod keys;
mod lists;
mod matrix;
mod rules;
mod signin;
mod world;
