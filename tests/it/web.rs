//! The web server from outside, by sockets: its routes on every store, its guards, its odd guests, its contract.

mod body;
mod guards;
mod routes;
mod site;
mod strangers;
mod token;
mod trouble;
