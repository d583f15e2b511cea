import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Desk, FakeJob, Outcome, Received, Refusal, Reply, Wire } from './wire.js';

/** What goes wrong with one submission. `lost …`: the job is taken, and billed, and the answer does not arrive. */
export type Fault =
  | { refuse: Refusal; retryAfterSeconds?: number }
  | { status: number }
  | 'lost with a 500'
  | 'lost with the connection'
  | 'lost for ever'
  | { end: Outcome }
  | 'never ends'
  | 'result expired'
  | 'first address expired'
  | 'result is no media'
  | 'answer in another shape';

export interface FakeOptions {
  /** How often a job is looked at before it runs, and before it has ended. Default 1 and 2. */
  looks?: { queued: number; running: number };
  /** How long a job is queued and runs beside that, for demonstrations. Default 0. */
  queueMs?: number;
  /** By how much the clock of the service goes ahead of ours. */
  skewMs?: number;
  port?: number;
}

type Asked = Pick<FakeJob, 'externalId' | 'callbackUrl'>;

/** A reply, a connection that is cut, or nothing at all. */
type Answer = Reply | 'cut' | 'silence';

/** How the service calls back when a job has ended. */
export type CallbackManner = 'properly' | 'twice' | 'wrongly signed' | 'an hour late' | 'never';

/** A local server that speaks like one of the services, with every fault on demand. */
export class FakeService {
  readonly wire: Wire;
  readonly received: Received[] = [];
  readonly jobs = new Map<string, FakeJob>();
  /** The next submissions meet these, first in first out; then everything goes well. */
  readonly faults: Fault[] = [];
  /** Statuses that the next looks at jobs are answered with. */
  readonly lookFaults: number[] = [];
  callbacks: CallbackManner = 'properly';
  /** Statuses that our own address answered callbacks with. */
  readonly callbackAnswers: number[] = [];
  /** The credentials that whoever fetched a result has shown; null for none. */
  readonly resultKeys: (string | null)[] = [];
  readonly #options: Required<FakeOptions>;
  readonly #server: Server;
  readonly #looks = new Map<string, number>();
  readonly #spoilt = new Map<string, Fault>();
  readonly #takenAt = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #media: Buffer = Buffer.alloc(0);
  #base = '';

  constructor(wire: Wire, options: FakeOptions = {}) {
    this.wire = wire;
    this.#options = { looks: { queued: 1, running: 2 }, queueMs: 0, skewMs: 0, port: 0, ...options };
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: Error) => {
        response.statusCode = 500;
        response.end(`${error.stack}`);
      });
    });
  }

  async start(): Promise<this> {
    this.#media = this.wire.makes === 'clip' ? await readFile(clipFile) : picture;
    this.#server.listen(this.#options.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#base = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Where it listens. */
  get url(): string {
    return this.#base;
  }

  /** Jobs that it took, and will send a bill for. */
  get billed(): number {
    return this.jobs.size;
  }

  /** The submissions that it received, taken or not. */
  get submissions(): Received[] {
    return this.received.filter((request) => this.wire.submission(request) !== null);
  }

  /** From now on every job that was taken goes well. */
  heal(): void {
    this.#spoilt.clear();
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await receive(message);
    if (request.path.startsWith('/results/')) this.#serveResult(request, response);
    else send(response, await this.#answer(request));
  }

  async #answer(request: Received): Promise<Answer> {
    this.received.push(request);
    const isAuthorized = await this.wire.isAuthorized(request, Date.now() + this.#options.skewMs);
    if (!isAuthorized) return this.wire.refused('auth');
    const submission = this.wire.submission(request);
    if (submission) return this.#submit(request, submission);
    const status = this.lookFaults.shift();
    if (status !== undefined) return { status, json: { error: 'a fault of the test' } };
    return this.wire.answer(request, this.#desk()) ?? { status: 404, json: { error: 'there is no such path' } };
  }

  #submit(request: Received, asked: Asked): Answer {
    const complaint = this.wire.complaint?.(request);
    if (complaint) return complaint;
    const fault = this.faults.shift();
    if (typeof fault === 'object' && 'refuse' in fault) return this.#refuse(fault);
    if (typeof fault === 'object' && 'status' in fault) return { status: fault.status, json: {} };
    const job = this.#take(request, asked, fault);
    if (fault === 'lost with a 500') return { status: 500, json: { message: 'internal error' } };
    if (fault === 'lost with the connection') return 'cut';
    if (fault === 'lost for ever') return 'silence';
    if (fault === 'answer in another shape') return { status: 200, json: { hello: 'world' } };
    return this.wire.accepted(job, this.#desk());
  }

  #refuse({ refuse, retryAfterSeconds }: Extract<Fault, { refuse: Refusal }>): Reply {
    const reply = this.wire.refused(refuse);
    const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
    return { ...reply, headers: { ...reply.headers, ...headers } };
  }

  #take(request: Received, asked: Asked, fault: Fault | undefined): FakeJob {
    const id = `${this.wire.name}-job-${this.jobs.size + 1}`;
    const outcome = typeof fault === 'object' && 'end' in fault ? fault.end : 'done';
    const resultUrl = `${this.#base}/results/${id}`;
    const job: FakeJob = { id, ...asked, state: 'queued', outcome, resultUrl, submitted: request };
    this.jobs.set(id, job);
    this.#takenAt.set(id, Date.now());
    if (fault !== undefined) this.#spoilt.set(id, fault);
    if (job.callbackUrl !== null && this.callbacks !== 'never' && fault !== 'never ends') this.#planCallback(job);
    return job;
  }

  #desk(): Desk {
    return {
      base: this.#base,
      look: (id) => this.#look(id),
      named: (externalId) => [...this.jobs.values()].find((job) => job.externalId === externalId),
      cancel: (id) => {
        const job = this.jobs.get(id);
        if (job && job.state !== 'ended') job.state = 'cancelled';
        return job;
      },
      result: this.#media,
    };
  }

  #look(id: string): FakeJob | undefined {
    const job = this.jobs.get(id);
    if (job?.state === 'ended' && this.#spoilt.get(id) === 'first address expired') {
      job.resultUrl = `${this.#base}/results/${id}?signed=again`;
    }
    if (!job || job.state === 'cancelled' || job.state === 'ended' || this.#spoilt.get(id) === 'never ends') return job;
    const looks = (this.#looks.get(id) ?? 0) + 1;
    this.#looks.set(id, looks);
    const { queued, running } = this.#options.looks;
    if (looks > queued) job.state = 'running';
    if (looks > queued + running && this.#isDue(job)) job.state = 'ended';
    return job;
  }

  #isDue({ id }: FakeJob): boolean {
    return Date.now() - (this.#takenAt.get(id) ?? 0) >= this.#options.queueMs;
  }

  #serveResult({ path, query, headers }: Received, response: ServerResponse): void {
    this.resultKeys.push(headers.authorization ?? headers['x-goog-api-key'] ?? null);
    const fault = this.#spoilt.get(path.split('/').at(-1) ?? '');
    const isMedia = fault !== 'result is no media';
    const type = this.wire.makes === 'clip' ? 'video/mp4' : 'image/png';
    const isGone = fault === 'result expired' || (fault === 'first address expired' && query.signed === undefined);
    response.writeHead(isGone ? 403 : 200, { 'content-type': isGone ? 'text/plain' : type });
    response.end(isGone ? 'Request has expired' : isMedia ? this.#media : '<html>Please log in</html>');
  }

  /** Ends the job at once and tells so, without being asked. */
  #planCallback(job: FakeJob): void {
    const timer = setTimeout(() => {
      job.state = 'ended';
      this.callBack(job.id).catch(() => {});
    }, this.#options.queueMs);
    this.#timers.add(timer);
  }

  /** Calls back about a job, in the manner of `callbacks`. */
  async callBack(id: string): Promise<void> {
    const job = this.jobs.get(id);
    if (!job?.callbackUrl || !this.wire.callback) return;
    const late = this.callbacks === 'an hour late' ? 3_600_000 : 0;
    const call = this.wire.callback(job, Date.now() + this.#options.skewMs - late);
    const body = this.callbacks === 'wrongly signed' ? `${call.body} ` : call.body;
    for (let times = this.callbacks === 'twice' ? 2 : 1; times > 0; times -= 1) {
      const headers = { 'content-type': 'application/json', ...call.headers };
      const answer = await fetch(job.callbackUrl, { method: 'POST', headers, body });
      this.callbackAnswers.push(answer.status);
    }
  }
}

const clipFile = fileURLToPath(
  new URL(
    import.meta.url.includes('/dist/') ? '../../test/fixtures/clip.mp4' : '../fixtures/clip.mp4',
    import.meta.url,
  ),
);
/** One pixel. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

async function receive(message: IncomingMessage): Promise<Received> {
  const url = new URL(message.url ?? '/', 'http://fake');
  const body = await buffer(message);
  const type = message.headers['content-type'] ?? '';
  return {
    method: message.method ?? 'GET',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: message.headers as Record<string, string>,
    json: type.startsWith('application/json') && body.length > 0 ? JSON.parse(body.toString()) : null,
    form: type.startsWith('multipart/form-data') ? await formOf(body, type) : null,
  };
}

async function formOf(body: Buffer, type: string): Promise<Record<string, string>> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const parts: Record<string, string> = {};
  for (const [name, value] of form) {
    parts[name] = typeof value === 'string' ? value : `${value.name} ${value.type} ${value.size}`;
  }
  return parts;
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer === 'cut') response.destroy();
  if (typeof answer === 'string') return;
  const { status, json, headers = {} } = answer;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(json === undefined ? '' : JSON.stringify(json));
}
