import { ConfigError, readConfig, unknownSettings } from '../engine/config.js';
import { createEngine } from '../engine/engine.js';
import { EngineError } from '../engine/errors.js';
import { chooseAuth } from './auth.js';
import { announceFirstKey, listen, stopOnSignal } from './lifecycle.js';
import { createLog } from './log.js';
import { createMetrics } from './metrics.js';
import { webhookPresenter } from './present-webhook.js';
import { createServer } from './server.js';

start().catch((error: Error) => {
  const isForTheOwner = error instanceof ConfigError || error instanceof EngineError;
  process.stderr.write(`${isForTheOwner ? error.message : error.stack}\n`);
  process.exit(1);
});

async function start(): Promise<void> {
  const config = readConfig();
  const auth = chooseAuth(config, process.argv.includes('--local'));
  const log = createLog(config.DARKROOM_LOG);
  for (const name of unknownSettings()) log.warn({ name }, 'There is no setting of this name; is it misspelt?');
  const metrics = createMetrics();
  const engine = await createEngine(config, { meter: metrics.meter, log, webhooks: webhookPresenter });
  try {
    const server = createServer(engine, {
      auth,
      log,
      metrics,
      publicBaseUrl: config.PUBLIC_BASE_URL,
      maxUploadBytes: config.DARKROOM_MAX_UPLOAD_MB * 1_000_000,
      retentionMs: config.DARKROOM_RETENTION_DAYS * 86_400_000,
    });
    const url = await listen(server, config);
    stopOnSignal({ engine, server, log, graceMs: config.DARKROOM_GRACE_SECONDS * 1000 });
    await engine.ready();
    if (auth === 'required') await announceFirstKey(engine.keys);
    process.stdout.write(`Darkroom is ready at ${url}\n`);
  } catch (error) {
    await engine.close(0);
    throw error;
  }
}
