import { z } from 'zod';
import type { Device } from '../../models/session.js';
import { devices } from '../config.js';
import { availableCores } from './cores.js';
import { EngineError } from '../errors.js';
import type { HostSettings } from './host-settings.js';
import { Findings } from '../probe/findings.js';
import { type Finding, type Measurement, measure, type Subject } from '../probe/measure.js';
import { graphicsFacts, runtimeFacts } from '../probe/runtime.js';
import { deviceSubject } from '../probe/subject.js';

/** The device that models run on and, in words, why. */
export interface DeviceChoice {
  device: Device;
  reason: string;
}

type Accelerator = Exclude<Device, 'cpu'>;

/** One device after its trial; a problem is a sentence without its full stop. */
type Trial = { device: Accelerator; problem: string } | { device: Accelerator; runsPerSecond: number };

/** How long a device is timed; one run of the network takes from 1 ms (GPU) to some 100 ms (one core). */
const probeMs = 300;

/** How long a trial may take: CUDA compiles kernels and TensorRT builds an engine, others have no such excuse. */
const timeouts = {
  cuda: 90_000,
  tensorrt: 180_000,
  webgpu: 20_000,
  coreml: 60_000,
  directml: 60_000,
} satisfies Record<Accelerator, number>;

const remedies = {
  cuda: 'It needs an NVIDIA GPU with its driver, CUDA 12 with cuDNN 9, and the CUDA libraries of onnxruntime-node (`npm run gpu:cuda`)',
  tensorrt: 'It needs what cuda needs, and TensorRT 10',
  webgpu: 'It needs a GPU with a driver for Vulkan, Metal or Direct3D 12',
  coreml: 'It needs macOS on Apple silicon',
  directml: 'It needs Windows and a GPU with a driver for Direct3D 12',
} satisfies Record<Accelerator, string>;

/** What `auto` tries. TensorRT is only for those who ask for it: it takes minutes to build an engine for each model. */
const accelerators: Partial<Record<NodeJS.Platform, Accelerator[]>> = {
  linux: ['cuda', 'webgpu'],
  darwin: ['coreml', 'webgpu'],
  win32: ['cuda', 'directml', 'webgpu'],
};

/** Largest difference from the CPU's result, as a share of its largest value: TF32 and fp16 inside stay well below. */
const tolerance = 0.01;

const choiceSchema = z.object({ device: z.enum(devices).exclude(['auto']), reason: z.string() });

/** Trials are repeated after a day: a GPU that failed may only have been busy, and one that worked may have been taken out. */
const trialAgeMs = 24 * 3600 * 1000;

export interface DeviceOptions {
  platform?: NodeJS.Platform;
  /** Graphics devices of this machine; `auto` tries nothing on a Linux without any. */
  graphics?: ReturnType<typeof graphicsFacts>;
}

/**
 * The device for these settings. An accelerator is taken only after it ran a network in a process of its own, gave the
 * CPU's answer and was seen in the profile to have run it. `auto` takes the fastest, the CPU included.
 * Errors: `unsupported` if the device that is demanded can't be used, with what is missing.
 */
export async function decideDevice(settings: HostSettings, options: DeviceOptions = {}): Promise<DeviceChoice> {
  const { platform = process.platform, graphics = graphicsFacts() } = options;
  const { device, requireGpu } = settings;
  if (device === 'cpu' && requireGpu) {
    throw new EngineError('unsupported', 'DARKROOM_REQUIRE_GPU=1 contradicts DARKROOM_DEVICE=cpu; unset one of them');
  }
  if (device === 'cpu') return { device, reason: 'DARKROOM_DEVICE=cpu' };
  const facts = { device, platform, graphics, runtime: runtimeFacts(), cores: availableCores() };
  const findings = new Findings(settings.measurementsFile);
  const known = findings.find('device', facts, { schema: choiceSchema, maxAgeMs: trialAgeMs });
  const choice = known ?? (device === 'auto' ? await fastest(candidates(platform, graphics)) : await demanded(device));
  if (!known) findings.keep('device', facts, choice);
  if (choice.device !== 'cpu' || !requireGpu) return choice;
  throw new EngineError('unsupported', `DARKROOM_REQUIRE_GPU=1, but no GPU can be used: ${choice.reason}`);
}

function candidates(platform: NodeJS.Platform, { devices: shown }: ReturnType<typeof graphicsFacts>): Accelerator[] {
  if (platform === 'linux' && shown.length === 0) return [];
  const isNvidia = platform !== 'linux' || shown.some((name) => /^(nvidia|dxg)/.test(name));
  return (accelerators[platform] ?? []).filter((device) => device !== 'cuda' || isNvidia);
}

async function demanded(device: Accelerator): Promise<DeviceChoice> {
  const subject = deviceSubject();
  const trial = await tryOut(device, subject, await onCpu(subject));
  if ('runsPerSecond' in trial) return { device, reason: `DARKROOM_DEVICE=${device}, tried and verified` };
  const remedy = `${remedies[device]}; DARKROOM_DEVICE=auto takes what there is`;
  throw new EngineError('unsupported', `DARKROOM_DEVICE=${device} can't be used: ${trial.problem}. ${remedy}`);
}

async function fastest(tried: Accelerator[]): Promise<DeviceChoice> {
  if (tried.length === 0) return { device: 'cpu', reason: 'this machine shows no GPU' };
  const subject = deviceSubject();
  const baseline = await onCpu(subject);
  const trials: Trial[] = [];
  for (const device of tried) trials.push(await tryOut(device, subject, baseline));
  const working = trials.filter((trial) => 'runsPerSecond' in trial);
  const [best] = working.toSorted((a, b) => b.runsPerSecond - a.runsPerSecond);
  if (best && best.runsPerSecond > baseline.runsPerSecond) {
    return { device: best.device, reason: `${ratio(best, baseline)} times as fast as the CPU on a test network` };
  }
  const reasons = trials.map(
    (trial) =>
      `${trial.device}: ${'problem' in trial ? trial.problem : `only ${ratio(trial, baseline)} times the speed of the CPU`}`,
  );
  return { device: 'cpu', reason: reasons.join('; ') };
}

async function onCpu(subject: Subject): Promise<Finding> {
  const [finding] = await measure(subject, [measurementOf('cpu')], 60_000);
  if (!finding) throw new EngineError('internal', 'The CPU was not measured');
  return finding;
}

async function tryOut(device: Accelerator, subject: Subject, baseline: Finding): Promise<Trial> {
  try {
    const [finding] = await measure(subject, [measurementOf(device)], timeouts[device]);
    const problem = finding ? objection(finding, baseline) : 'it was not measured';
    return problem === null && finding
      ? { device, runsPerSecond: finding.runsPerSecond }
      : { device, problem: problem ?? '' };
  } catch (error) {
    return { device, problem: readable(error) };
  }
}

/** What the runtime says, without the place in its source and the full stop. */
function readable(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\/onnxruntime_src\/.* was false\. /, '').replace(/\.+$/, '');
}

/** Why a device that answered is not to be trusted, or null. */
function objection({ report, output }: Finding, baseline: Finding): string | null {
  if (!report?.isOnDevice) return `it left the work to the CPU (nodes per provider: ${JSON.stringify(report?.nodes)})`;
  const [found, expected] = [Float32Array.from(output.data, Number), Float32Array.from(baseline.output.data, Number)];
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const isRight =
    found.length === expected.length &&
    found.every((value, index) => Math.abs(value - (expected[index] ?? 0)) <= tolerance * largest);
  return isRight ? null : 'it gave another result than the CPU';
}

function measurementOf(device: Device): Measurement {
  return { device, workers: 1, threads: availableCores(), ms: probeMs, isProfiled: device !== 'cpu' };
}

function ratio(trial: { runsPerSecond: number }, baseline: Finding): string {
  return (trial.runsPerSecond / baseline.runsPerSecond).toPrecision(2);
}
