//! What is promised of this store alone: trips, keys, rights, faults, TLS, clusters and fail-overs, on real servers.
//! What both stores promise is tested by the conformance suite.

mod desk;
mod fake;
mod faults;
mod keys;
mod records;
mod tls;
mod topologies;
mod trips;
mod unchanged;
