#!/usr/bin/env node
/**
 * Writes size and SHA-256 of every bundled file into models.lock.json.
 * Run it after each change of a file in src/models/bundled: node scripts/lock-models.js
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const lockfile = new URL('models.lock.json', root);
const lock = JSON.parse(readFileSync(lockfile, 'utf8'));

for (const { id, tier, files } of lock.models) {
  if (tier !== 'bundled') continue;
  for (const file of files) {
    const bytes = readFileSync(new URL(`src/models/bundled/${file.name}`, root));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    console.log(`${id}: ${file.name} ${file.sha256 === sha256 ? 'unchanged' : 'locked anew'}`);
    Object.assign(file, { bytes: bytes.length, sha256 });
  }
}
// Lists of numbers and names stay on one line.
const text = JSON.stringify(lock, null, 2).replace(/\[[^[\]{}]*\]/g, (list) =>
  JSON.stringify(JSON.parse(list)).replaceAll(',', ', '),
);
writeFileSync(lockfile, `${text}\n`);
