//! `postino serve`: one server a workspace, a parent that no fault of its child reaches, live events without gaps.

mod child;
mod doctor;
mod events;
mod faults;
mod office;
mod one;
mod session;

pub(crate) use office::children;
