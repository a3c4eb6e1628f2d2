// Usage: satisfies.js VERSION RANGE. Exit status 0 where the version is in npm's kind of range,
// 1 where it is not. Uses the semver that npm itself brings.
'use strict';
const { createRequire } = require('module');
const { execFileSync } = require('child_process');
const { realpathSync } = require('fs');

const npm = execFileSync('/bin/sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
const [version, range] = process.argv.slice(2);
// Aliases such as lts/* are nvm's, not npm's: whatever there is will do.
if (/^(lts\/?\S*|latest|current|node)$/i.test(range)) process.exit(0);
let semver;
for (const place of [realpathSync(npm), '/usr/share/nodejs/npm/index.js']) {
  try {
    semver = createRequire(place)('semver');
    break;
  } catch {
    // The next place: Debian keeps npm's packages elsewhere.
  }
}
process.exit(!semver || semver.satisfies(version, range) ? 0 : 1);
