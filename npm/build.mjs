// Lays out the npm packages of a release: one a platform that carries the binary, and a launcher that depends on whichever
// fits. `node npm/build.mjs VERSION OUT linux-x64=FOLDER …`, where a folder is an unpacked archive. It packs nothing.

import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// Every platform that a release has, so that the launcher of a release that was built in parts names them all.
const PLATFORMS = ["linux-x64", "linux-arm64"];

const here = dirname(fileURLToPath(import.meta.url));
const [version, out, ...folders] = process.argv.slice(2);

const common = {
  version,
  description: "Carries messages between agents that share nothing else",
  license: "MIT",
};

function lay(name, fields, files) {
  const folder = join(out, name);
  mkdirSync(join(folder, "bin"), { recursive: true });
  for (const [file, source, mode] of files) {
    copyFileSync(source, join(folder, file));
    chmodSync(join(folder, file), mode);
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, ...common, ...fields }, null, 2) + "\n");
}

for (const pair of folders) {
  const [platform, folder] = pair.split("=");
  if (!PLATFORMS.includes(platform)) throw new Error(`no such platform: ${platform}`);
  const [os, cpu] = platform.split("-");
  lay(`postino-${platform}`, { os: [os], cpu: [cpu], preferUnplugged: true, files: ["bin", "THIRD-PARTY.txt"] }, [
    ["bin/postino", join(folder, "postino"), 0o755],
    ["LICENSE", join(folder, "LICENSE"), 0o644],
    ["THIRD-PARTY.txt", join(folder, "THIRD-PARTY.txt"), 0o644],
  ]);
}

const fields = {
  keywords: ["agents", "messaging", "cli", "mcp", "hooks"],
  bin: { postino: "bin/postino.js" },
  files: ["bin"],
  engines: { node: ">=18" },
  optionalDependencies: Object.fromEntries(PLATFORMS.map((platform) => [`postino-${platform}`, version])),
};
lay("postino", fields, [
  ["bin/postino.js", join(here, "launcher.js"), 0o755],
  ["LICENSE", join(here, "../LICENSE"), 0o644],
  ["README.md", join(here, "README.md"), 0o644],
]);
