//! What only the embedded store promises: its files.
