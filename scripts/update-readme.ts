/**
 * Renews the generated tables of README.md: settings from the schema, models from models.lock.json, measurements from
 * bench/results. Usage: npm run readme
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { readmeTables, withTables } from './readme-tables.js';

const readme = readFileSync('README.md', 'utf8');
const renewed = withTables(readme, readmeTables('.'));
writeFileSync('README.md', renewed);
console.log(renewed === readme ? 'README.md is up to date' : 'README.md renewed');
