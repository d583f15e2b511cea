import { Command, Option } from 'commander';
import { describeBytes } from '../engine/byte-size.js';
import { readConfig } from '../engine/config.js';
import { EngineError, toEngineError } from '../engine/errors.js';
import { createModelStore, type ModelStore } from '../engine/model-store/model-store.js';
import type { ModelEntry } from '../models/lockfile.js';
import { type ModelStatus, modelTasks } from '../models/model.js';
import { type TransferBars, transferBars } from './bars.js';
import { askForConsent } from './consent.js';
import { alignColumns } from './table.js';

interface Flags {
  json?: boolean;
  quiet?: boolean;
  acceptLicence?: boolean;
}

/** `darkroom models`: everything an owner does with weights. */
export function modelsCommand(): Command {
  const models = new Command('models').description('lists, fetches, checks and moves the models').exitOverride();
  for (const command of [list(), info(), pull(), verify(), importing(), exporting(), add(), remove(), prune()]) {
    models.addCommand(command.exitOverride());
  }
  return models;
}

function list(): Command {
  return new Command('list')
    .description('every model: for what, from where, under which licence, and whether it can be used now')
    .addOption(new Option('--task <task>', 'only models for this').choices(modelTasks))
    .option('--installed', 'only those that are here')
    .option('--json', 'the same as JSON')
    .action((options: Flags & { task?: string; installed?: boolean }) =>
      withStore(async (store) => {
        const shown = store
          .statuses()
          .filter(({ task }) => options.task === undefined || task === options.task)
          .filter(({ installed }) => installed || !options.installed);
        if (options.json) return console.log(JSON.stringify(shown, null, 2));
        const head = ['MODEL', 'TASK', 'SIZE', 'STATE', 'LICENCE'];
        for (const line of alignColumns([head, ...shown.map(rowOf)])) console.log(line);
        for (const { problem } of store.catalogue().broken) console.error(problem);
      }),
    );
}

function info(): Command {
  return new Command('info')
    .description('everything that is known of a model')
    .argument('<id>')
    .option('--json', 'its entry as JSON')
    .action((id: string, { json }: Flags) =>
      withStore(async (store) => {
        const entry = store.find(id);
        const status = store.statuses().find((each) => each.id === id);
        if (json)
          return console.log(
            JSON.stringify({ ...entry, installed: status?.installed, problem: status?.problem }, null, 2),
          );
        for (const line of alignColumns(factsOf(entry, status))) console.log(line);
      }),
    );
}

function pull(): Command {
  return new Command('pull')
    .description('fetches models; goes on where a broken download stopped')
    .argument('<id...>')
    .option('--accept-licence', 'the licences that are shown are accepted', false)
    .option('--quiet', 'no progress bars', false)
    .action((ids: string[], { acceptLicence = false, quiet = false }: Flags) =>
      withStore(async (store, signal) => {
        const found = ids.map((id) => store.find(id));
        for (const { id } of found.filter(({ tier }) => tier === 'bundled'))
          console.log(`${id} comes with the program`);
        const entries = found.filter(({ tier }) => tier !== 'bundled');
        if (entries.length === 0) return;
        await askForConsent(entries, acceptLicence);
        const bars = transferBars(quiet);
        const outcomes = await pullAll(store, entries, { signal, bars }).finally(() => bars.stop());
        for (const [id, outcome] of outcomes) {
          if (typeof outcome === 'string') console.log(`${id} is installed${outcome}`);
          else console.error(`darkroom: ${outcome.message}`);
        }
        if (outcomes.some(([, outcome]) => typeof outcome !== 'string')) process.exitCode = 1;
      }),
    );
}

/** Fetches one model after the other, and goes on after one that fails; for each what to add to the news of it, or why not. */
async function pullAll(
  store: ModelStore,
  entries: readonly ModelEntry[],
  { signal, bars }: { signal: AbortSignal; bars: TransferBars },
): Promise<(readonly [string, string | EngineError])[]> {
  const outcomes: (readonly [string, string | EngineError])[] = [];
  for (const entry of entries) {
    const onProgress = ({ name }: { name: string }, done: number, total: number | null) => bars.show(name, done, total);
    const isPinnedNow = entry.files.some(({ sha256 }) => sha256 === null);
    try {
      await store.pull(entry, { signal, onProgress });
      outcomes.push([entry.id, isPinnedNow ? ', and its digest is kept from now on' : '']);
    } catch (error) {
      const known = toEngineError(error);
      if (known.code === 'cancelled' || known.code === 'internal') throw error;
      outcomes.push([entry.id, known]);
    }
  }
  return outcomes;
}

function verify(): Command {
  return new Command('verify')
    .description('reads every installed model again and compares it with its digest')
    .argument('[id...]')
    .option('--json', 'one JSON line for each model')
    .action((ids: string[], { json }: Flags) =>
      withStore(async (store) => {
        const { lock, broken } = store.catalogue();
        const chosen = ids.length > 0 ? ids.map((id) => store.find(id)) : lock.models;
        let isSound = true;
        for (const entry of chosen) {
          const verdict = await store.verify(entry);
          if (verdict.state === 'absent' && ids.length === 0) continue;
          isSound &&= verdict.state === 'good';
          console.log(json ? JSON.stringify(verdict) : `${verdict.id}: ${verdict.problem ?? 'good'}`);
        }
        for (const { id, problem } of ids.length === 0 ? broken : []) {
          isSound = false;
          console.log(json ? JSON.stringify({ id, state: 'damaged', problem }) : `${id}: ${problem}`);
        }
        if (!isSound) process.exitCode = 1;
      }),
    );
}

function importing(): Command {
  return new Command('import')
    .description('takes a bundle that another machine exported, or a single file of a listed model')
    .argument('<file>')
    .option('--as <id>', 'the listed model whose only file this is')
    .option('--accept-licence', 'the licences that are shown are accepted', false)
    .action((file: string, { as, acceptLicence = false }: Flags & { as?: string }) =>
      withStore(async (store) => {
        const consent = (models: readonly ModelEntry[]) => askForConsent(models, acceptLicence);
        for (const { id } of await store.import(file, { as, consent })) console.log(`${id} is installed`);
      }),
    );
}

function exporting(): Command {
  return new Command('export')
    .description('writes installed models into one tar file, for a machine without network')
    .argument('[id...]', 'default: all that are installed and do not come with the program')
    .requiredOption('-o, --output <bundle>', 'the tar file')
    .action((ids: string[], { output }: { output: string }) =>
      withStore(async (store) => {
        const all = store.statuses().filter(({ installed, tier }) => installed && tier !== 'bundled');
        const chosen = ids.length > 0 ? ids : all.map(({ id }) => id);
        if (chosen.length === 0)
          throw new EngineError('invalid_input', 'No model is installed that could be exported', { param: 'id' });
        await store.export(chosen, output);
        console.log(`${chosen.join(', ')} in ${output}; there: npx darkroom models import ${output}`);
      }),
    );
}

function add(): Command {
  const collect = (pair: string, known: string[]) => [...known, pair];
  return new Command('add')
    .description('adds a network of your own')
    .argument('<file>', 'an ONNX file with its weights inside')
    .requiredOption('--family <family>', 'how it is fed and read, as in models info')
    .option('--id <id>', 'default: the name of the file')
    .addOption(new Option('--task <task>', 'needed where a family serves several').choices(modelTasks))
    .option('--like <id>', 'a model of the same family whose constants and kinds of pictures it shares')
    .option('--constant <name=value>', 'a constant of its family, its value as JSON; may be repeated', collect, [])
    .option('--part <part=file>', 'a further file; may be repeated', collect, [])
    .option('--licence <licence>', 'of its weights')
    .option('--non-commercial', 'its licence forbids commercial use', false)
    .action((file: string, options: AddOptions) =>
      withStore(async (store) => {
        const { constant, part, nonCommercial, ...rest } = options;
        const constants = Object.fromEntries(
          constant.map((pair) => splitPair(pair, 'constant')).map(([name, text]) => [name, parseValue(text)]),
        );
        const parts = Object.fromEntries(part.map((pair) => splitPair(pair, 'part')));
        const entry = await store.add({ ...rest, file, constants, parts, isNonCommercial: nonCommercial });
        console.log(`${entry.id} is installed; ask for it with model=${entry.id}`);
      }),
    );
}

interface AddOptions {
  family: string;
  id?: string;
  task?: string;
  like?: string;
  constant: string[];
  part: string[];
  licence?: string;
  nonCommercial: boolean;
}

function remove(): Command {
  return new Command('remove')
    .description('deletes installed models')
    .argument('<id...>')
    .action((ids: string[]) =>
      withStore(async (store) => {
        for (const id of ids) {
          await store.remove(id);
          console.log(`${id} is removed`);
        }
      }),
    );
}

function prune(): Command {
  return new Command('prune')
    .description('deletes what no model needs: unfinished downloads and files that no entry names')
    .option('--dry-run', 'only says what it would delete', false)
    .action(({ dryRun }: { dryRun: boolean }) =>
      withStore(async (store) => {
        const rubbish = await store.rubbish();
        for (const { path, reason, bytes } of rubbish) console.log(`${path} (${describeBytes(bytes)}): ${reason}`);
        if (!dryRun) await store.prune(rubbish);
        const bytes = describeBytes(rubbish.reduce((sum, each) => sum + each.bytes, 0));
        console.log(dryRun ? `${bytes} could be freed` : `${bytes} freed`);
      }),
    );
}

/** Opens the models of this machine, and ends what runs when the user wants it to. */
async function withStore(work: (store: ModelStore, signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const reason = new EngineError('cancelled', 'Stopped; what came so far is kept');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(reason));
  const store = createModelStore(readConfig());
  try {
    await work(store, stop.signal);
  } finally {
    await store.close();
  }
}

function rowOf({ id, task, bytes, licence, commercialUse, ...status }: ModelStatus): string[] {
  const use = commercialUse === true ? '' : commercialUse === null ? ' (unclear)' : ' (non-commercial)';
  return [id, task, bytes === null ? '?' : describeBytes(bytes), stateOf(status), `${licence}${use}`];
}

/** What is to be done for a model that is not here. */
const ways = {
  bundled: 'missing',
  pull: 'to be fetched',
  import: 'to be imported',
  never: 'no code for it',
} as const satisfies Record<ModelStatus['comes'], string>;

function stateOf({ tier, installed, problem, comes }: Pick<ModelStatus, 'tier' | 'installed' | 'problem' | 'comes'>) {
  if (installed) return problem === null ? (tier === 'open' ? 'installed' : tier) : 'unusable';
  return ways[comes];
}

function factsOf(entry: ModelEntry, status: ModelStatus | undefined): string[][] {
  const tensors = (kind: 'inputs' | 'outputs') =>
    entry[kind].map(({ name, type, shape }) => `${name ?? '?'}: ${type} [${shape?.join(', ') ?? '?'}]`).join('; ');
  const facts = {
    model: entry.id,
    task: entry.task,
    family: entry.family,
    comes: entry.tier,
    licence: `${entry.licence}${entry.licenceUrl === undefined ? '' : `, ${entry.licenceUrl}`}`,
    commercial: entry.commercialUse === null ? 'not known' : entry.commercialUse ? 'yes' : 'no',
    state: status?.problem ?? 'ready',
    inputs: tensors('inputs'),
    outputs: tensors('outputs'),
    constants: JSON.stringify(entry.constants),
    seen: entry.seen,
    ...(entry.notes === undefined ? {} : { notes: entry.notes }),
  };
  const files = entry.files.flatMap(({ name, bytes, sha256, url }) => [
    ['file', `${name} (${bytes === null ? 'size not known' : describeBytes(bytes)})`],
    ['  sha256', sha256 ?? 'none was published: it is kept from the first pull on'],
    ['  from', url ?? 'nobody publishes it'],
  ]);
  return [...Object.entries(facts), ...files];
}

function splitPair(pair: string, option: string): [string, string] {
  const at = pair.indexOf('=');
  if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
  throw new EngineError('invalid_input', `--${option}: expected name=value, got "${pair}"`, { param: option });
}

/** A value as JSON; what is none is a plain word. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
