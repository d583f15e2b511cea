import type { Meter, WebhookPresenter, WebhookRequest } from '../api.js';
import { createAddressGuard } from '../downloads/address-guard.js';
import type { Config } from '../config.js';
import { EngineError, toEngineError } from '../errors.js';
import type { Delivery, DeliveryStore } from '../jobs/delivery-store.js';
import type { JobStore, Webhook } from '../jobs/job-store.js';
import type { Log } from '../log.js';
import { createPost } from './post.js';
import { openSeal, type Seal } from './seal.js';
import { WebhookSender, type Written } from './sender.js';

export interface WebhookParts {
  config: Config;
  jobs: JobStore;
  deliveries: DeliveryStore;
  present: WebhookPresenter;
  /** File of the key that callers' secrets are sealed with. */
  sealFile: string;
  meter: Meter;
  log: Log;
}

export interface Webhooks {
  /** What is stored of a caller's wish to be told. Errors: `invalid_input` for an address that may not be called. */
  accept(request: WebhookRequest): Webhook;
  start(): Promise<void>;
  /** Lets deliveries that are under way end for `graceMs`. */
  close(graceMs: number): Promise<void>;
}

const maxUrlLength = 2048;

/** Everything about webhooks: taking orders for them, and the sender. */
export async function openWebhooks({ config, sealFile, ...parts }: WebhookParts): Promise<Webhooks> {
  const guard = createAddressGuard(config.DARKROOM_ALLOW_HOSTS);
  const seal = await openSeal(sealFile);
  const secret = config.DARKROOM_WEBHOOK_SECRET ?? null;
  const sender = new WebhookSender({
    ...parts,
    post: createPost({ guard }),
    schedule: config.DARKROOM_WEBHOOK_SCHEDULE,
    write: (delivery) => write(delivery, { ...parts, seal, secret }),
  });
  return {
    accept({ url, baseUrl, secret: own }) {
      checkUrl(url, (parsed) => guard.checkUrl(parsed));
      return { url, baseUrl, sealedSecret: own ? seal.seal(own) : null };
    },
    start: () => sender.start(),
    close: (graceMs) => sender.close(graceMs),
  };
}

interface Writing extends Pick<WebhookParts, 'jobs' | 'present'> {
  seal: Seal;
  /** The operator's; it wins over the callers' own (contract 76). */
  secret: string | null;
}

async function write(delivery: Delivery, { jobs, present, seal, secret }: Writing): Promise<Written | null> {
  const sign = ({ sealedSecret }: Webhook) => secret ?? (sealedSecret === null ? null : seal.open(sealedSecret));
  if (delivery.kind === 'job') {
    const job = await jobs.get(delivery.subject);
    return job?.webhook ? { ...present.job(job, job.webhook.baseUrl), secret: sign(job.webhook) } : null;
  }
  const batch = await jobs.getBatch(delivery.subject);
  return batch?.webhook ? { ...present.batch(batch, batch.webhook.baseUrl), secret: sign(batch.webhook) } : null;
}

function checkUrl(url: string, check: (url: URL) => void): void {
  const refuse = (reason: string) => {
    throw new EngineError('invalid_input', `webhook_url: ${reason}`, { param: 'webhook_url' });
  };
  if (url.length > maxUrlLength) refuse(`expected at most ${maxUrlLength} characters, got ${url.length}`);
  if (!URL.canParse(url)) refuse(`expected an https address, got "${url.slice(0, 60)}"`);
  try {
    check(new URL(url));
  } catch (error) {
    refuse(toEngineError(error).message);
  }
}
