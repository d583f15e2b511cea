import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import ffmpeg from 'fluent-ffmpeg';
import { EngineError } from '../errors.js';
import { resourceError } from './resources.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** An ffmpeg that can be used. */
export interface Ffmpeg {
  /** A path, or a name that is looked up on the PATH. */
  path: string;
  /** As it says itself: `5.1.6`, `N-47683-g0e8eb07980`. */
  version: string;
  /** Last year of its copyright: the only date that releases and snapshots share. */
  year: number;
  filters: ReadonlySet<string>;
}

/** One run of ffmpeg on one stream that we make ourselves. */
export interface Encoding {
  input: Readable;
  /** What `input` is, as options. */
  inputOptions: string[];
  outputOptions: string[];
  /** Path of the result. */
  output: string;
}

/**
 * The ffmpeg that `wanted` names, or else the newer one of that on the PATH and that of the npm package (of 2018).
 * Errors: `unsupported` if there is none that encodes H.264, with the remedy.
 */
export async function findFfmpeg(wanted: string | null): Promise<Ffmpeg> {
  const paths = wanted === null ? ['ffmpeg', installed('@ffmpeg-installer/ffmpeg')] : [wanted];
  const found = await Promise.all(paths.filter((path) => path !== null).map(probe));
  const [newest] = found.filter((each) => each !== null).sort((a, b) => b.year - a.year);
  if (newest) return newest;
  const message =
    wanted === null
      ? 'Expected an ffmpeg with libx264 on the PATH or from npm, found none; install one or set DARKROOM_FFMPEG'
      : `Expected DARKROOM_FFMPEG to be an ffmpeg with libx264, got ${wanted}`;
  throw new EngineError('unsupported', message);
}

/** Finds ffmpeg when it is first asked for, and answers from memory from then on. */
export function ffmpegFinder(wanted: string | null): () => Promise<Ffmpeg> {
  let finding: Promise<Ffmpeg> | null = null;
  return () => {
    finding ??= findFfmpeg(wanted).catch((error: unknown) => {
      // It may be installed before it is asked for again.
      finding = null;
      throw error;
    });
    return finding;
  };
}

/**
 * Runs ffmpeg until the stream and its file are at their end. When the stream fails, ffmpeg is killed and the error is
 * that of the stream. Errors: those of `input`, `storage_full`, `out_of_memory`, `internal` with what ffmpeg said.
 */
export async function encodeStream({ path }: Ffmpeg, encoding: Encoding): Promise<void> {
  const { input, inputOptions, outputOptions, output } = encoding;
  let reason: Error | null = null;
  input.on('error', (error) => {
    reason = error;
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const command = ffmpeg({ source: input, stdoutLines: 20 })
        .setFfmpegPath(path)
        .inputOptions(['-hide_banner', '-nostdin', '-protocol_whitelist', 'pipe,file', ...inputOptions])
        .outputOptions(outputOptions)
        .on('end', () => resolve())
        .on('error', (error: Error) => {
          command.kill('SIGKILL');
          reject(error);
        });
      command.save(output);
    });
  } catch (error) {
    throw reason ?? explained(error as Error);
  } finally {
    input.destroy();
  }
}

/** What a clip is, as ffprobe sees it. */
export interface ClipFacts {
  codec: string;
  pixelFormat: string;
  width: number;
  height: number;
  fps: number;
  frames: number;
  seconds: number;
  hasAudio: boolean;
}

/** The facts of a clip. Errors: `invalid_input` if it is none, `unsupported` if there is no ffprobe. */
export async function probeClip(path: string): Promise<ClipFacts> {
  ffmpeg.setFfprobePath(installed('@ffprobe-installer/ffprobe') ?? 'ffprobe');
  const { streams, format } = await new Promise<ffmpeg.FfprobeData>((resolve, reject) => {
    ffmpeg.ffprobe(path, ['-protocol_whitelist', 'file', '-f', 'mov'], (error: Error | null, data) =>
      error ? reject(unreadable(path, error)) : resolve(data),
    );
  });
  const video = streams.find((stream) => stream.codec_type === 'video');
  if (!video) throw unreadable(path);
  const [count = 0, per = 1] = (video.avg_frame_rate ?? '0/1').split('/').map(Number);
  return {
    codec: video.codec_name ?? 'unknown',
    pixelFormat: video.pix_fmt ?? 'unknown',
    width: video.width ?? 0,
    height: video.height ?? 0,
    fps: count / per,
    frames: Number(video.nb_frames),
    seconds: Number(video.duration ?? format.duration),
    hasAudio: streams.some((stream) => stream.codec_type === 'audio'),
  };
}

async function probe(path: string): Promise<Ffmpeg | null> {
  try {
    const [version, encoders, filters] = await Promise.all(
      ['-version', '-encoders', '-filters'].map((question) => run(path, ['-hide_banner', question])),
    );
    const [, name = '', year = ''] =
      /^ffmpeg version (\S+) .*Copyright \(c\) \d+-(\d+)/.exec(version?.stdout ?? '') ?? [];
    if (!name || !/^ V\S* libx264 /m.test(encoders?.stdout ?? '')) return null;
    const names = [...(filters?.stdout ?? '').matchAll(/^ [T.][S.]\S? +(\w+) +\S+->/gm)].map(
      ([, filter = '']) => filter,
    );
    return { path, version: name, year: Number(year), filters: new Set(names) };
  } catch {
    // Not there, not for this machine, or not an ffmpeg: none of these is one to use.
    return null;
  }
}

/** The binary of an installer package; null where it has none for this platform, which it says by throwing a string. */
function installed(name: string): string | null {
  try {
    return (require(name) as { path: string }).path;
  } catch {
    return null;
  }
}

function explained(cause: Error): EngineError {
  return resourceError(cause) ?? new EngineError('internal', 'The clip could not be encoded', { cause });
}

function unreadable(path: string, cause?: Error): EngineError {
  return new EngineError('invalid_input', `Expected an MP4 file with a video stream: ${path}`, { cause });
}
