//! The command line, a module a subject: what each command prints, where, and how it ends, for people and as JSON.

mod ask;
mod dead;
mod feed;
mod first;
mod help;
mod look;
mod mistakes;
mod outage;
mod past;
mod people;
mod read;
mod running;
mod send;
mod settle;
mod shell;
mod wait;
