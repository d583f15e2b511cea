import { Command } from 'commander';
import { readConfig } from '../engine/config.js';
import { examine } from '../engine/doctor/doctor.js';
import type { Finding } from '../engine/doctor/finding.js';

const marks = { good: 'ok  ', fair: 'less', bad: 'BAD ' } satisfies Record<Finding['state'], string>;

/** `darkroom doctor`: exit code 1 where work would fail, 0 where at most something is missing. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('says what this machine can do, what is missing, and what to do about it')
    .option('--json', 'the same as JSON', false)
    .exitOverride()
    .action(async ({ json }: { json: boolean }) => {
      const found: Finding[] = [];
      for await (const finding of examine(readConfig())) {
        found.push(finding);
        if (!json) for (const line of linesOf(finding)) console.log(line);
      }
      const isWell = found.every(({ state }) => state !== 'bad');
      if (json) console.log(JSON.stringify({ ok: isWell, findings: found }, null, 2));
      if (!isWell) process.exitCode = 1;
    });
}

function linesOf({ topic, state, says, next }: Finding): string[] {
  const first = `${marks[state]}  ${topic.padEnd(18)}${says}`;
  return next === null ? [first] : [first, `${' '.repeat(24)}-> ${next}`];
}
