//! The MCP server seen from outside: lines of JSON-RPC over pipes, and what the store and other processes see of it.

mod budget;
mod client;
mod delivery;
mod identity;
mod life;
mod order;
mod outage;
mod protocol;
mod resources;
mod tools;
