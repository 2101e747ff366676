#!/usr/bin/env node
// Starts the binary of the package for this platform, and ends as it ended. It knows nothing of what postino does.
"use strict";

const { spawn } = require("node:child_process");

const name = `postino-${process.platform}-${process.arch}`;

function binary() {
  try {
    return require.resolve(`${name}/bin/postino`);
  } catch {
    console.error(`postino: the package ${name} is not installed, so there is no binary for this machine`);
    console.error("  try: npm install without --omit=optional; on other systems than Linux build postino from source");
    process.exit(1);
  }
}

// What is sent to this process is passed on, and the binary decides what it means; this process waits for it. A terminal sends
// its signals to both, and the binary ends at the first. The handlers come before the start, so that no moment is left in which
// a signal ends this process alone.
for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"]) process.on(signal, () => child.kill(signal));

const child = spawn(binary(), process.argv.slice(2), { stdio: "inherit" });

child.on("error", (error) => {
  console.error(`postino: the binary of ${name} cannot be started: ${error.code}`);
  process.exit(1);
});

child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
