//! valkey
