import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { readmeTables, withTables } from '../scripts/readme-tables.js';

const root = resolve(import.meta.dirname, '..');

it('the tables of the README say what the program says', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  expect(withTables(readme, readmeTables(root)), 'run `npm run readme`').toBe(readme);
});
