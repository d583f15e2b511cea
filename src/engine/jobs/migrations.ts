import { EngineError } from '../errors.js';
import type { Db } from './db.js';

/** One step of the tables' history. A step that was released never changes: what comes later is a step of its own. */
interface Migration {
  name: string;
  script: string;
}

const jobs = `
  CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY, -- order of submission
    id TEXT NOT NULL UNIQUE,
    operation TEXT NOT NULL,
    owner TEXT NOT NULL,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    params TEXT NOT NULL,
    inputs TEXT NOT NULL,
    warnings TEXT NOT NULL,
    result TEXT,
    error TEXT,
    errors TEXT NOT NULL DEFAULT '[]',
    progress REAL NOT NULL DEFAULT 0,
    stage TEXT,
    attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt BETWEEN 0 AND max_attempts),
    max_attempts INTEGER NOT NULL,
    interruptions INTEGER NOT NULL DEFAULT 0,
    token INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    timeout_ms INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    lease_expires_at INTEGER,
    CHECK ((state = 'running') = (lease_expires_at IS NOT NULL)),
    CHECK ((state IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'completed') = (result IS NOT NULL)),
    CHECK ((state = 'failed') = (error IS NOT NULL))
  ) STRICT;

  -- Partial, so that claiming costs the same with a million finished jobs.
  CREATE INDEX jobs_claimable ON jobs (lane, priority DESC, run_at, seq) WHERE state = 'queued';
  CREATE INDEX jobs_due ON jobs (lane, run_at) WHERE state = 'queued';
  CREATE INDEX jobs_leased ON jobs (lease_expires_at) WHERE state = 'running';
  CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

  -- Counted as they change: admission and stats would otherwise read every row of a state.
  CREATE TABLE job_counts (
    state TEXT NOT NULL,
    lane TEXT NOT NULL,
    jobs INTEGER NOT NULL CHECK (jobs >= 0),
    PRIMARY KEY (state, lane)
  ) STRICT, WITHOUT ROWID;

  CREATE TRIGGER jobs_count_insert AFTER INSERT ON jobs BEGIN
    INSERT INTO job_counts VALUES (NEW.state, NEW.lane, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
  END;
  CREATE TRIGGER jobs_count_delete AFTER DELETE ON jobs BEGIN
    UPDATE job_counts SET jobs = jobs - 1 WHERE state = OLD.state AND lane = OLD.lane;
  END;
  CREATE TRIGGER jobs_count_update AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state BEGIN
    UPDATE job_counts SET jobs = jobs - 1 WHERE state = OLD.state AND lane = OLD.lane;
    INSERT INTO job_counts VALUES (NEW.state, NEW.lane, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
  END;
`;

const idempotencyKeys = `
  -- No foreign key: a key outlives its job when that is pruned first.
  CREATE TABLE idempotency_keys (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    job_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (owner, key)
  ) STRICT;
  CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
`;

const apiKeys = `
  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    label TEXT NOT NULL,
    digest BLOB NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
`;

const writeProbes = `
  -- Written and emptied again to learn whether the disk still takes something.
  CREATE TABLE write_probes (filler BLOB NOT NULL) STRICT;
`;

const batches = `
  CREATE TABLE batches (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    operation TEXT NOT NULL,
    owner TEXT NOT NULL,
    webhook TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER
  ) STRICT;
  CREATE INDEX batches_finished ON batches (finished_at) WHERE finished_at IS NOT NULL;

  ALTER TABLE jobs ADD COLUMN batch_id TEXT REFERENCES batches (id);
  ALTER TABLE jobs ADD COLUMN webhook TEXT;
  ALTER TABLE jobs ADD COLUMN auto_retry INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX jobs_of_batch ON jobs (batch_id, seq) WHERE batch_id IS NOT NULL;
  CREATE INDEX jobs_open_of_batch ON jobs (batch_id) WHERE batch_id IS NOT NULL AND finished_at IS NULL;
`;

const deliveries = `
  -- What is owed to receivers: a row is written by the transaction that ends its job or batch.
  CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE, -- made of subject and status, so that each is owed once
    job_id TEXT REFERENCES jobs (id) ON DELETE CASCADE,
    batch_id TEXT REFERENCES batches (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    operation TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('completed', 'failed')),
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'gone', 'exhausted')),
    attempts TEXT NOT NULL DEFAULT '[]',
    tries INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    lease_expires_at INTEGER,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    CHECK ((job_id IS NULL) <> (batch_id IS NULL)),
    CHECK ((state = 'pending') = (due_at IS NOT NULL)),
    CHECK ((state = 'pending') = (ended_at IS NULL)),
    CHECK (state = 'pending' OR lease_expires_at IS NULL)
  ) STRICT;
  CREATE INDEX deliveries_waiting ON deliveries (host, due_at) WHERE state = 'pending' AND lease_expires_at IS NULL;
  CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'pending' AND lease_expires_at IS NULL;
  CREATE INDEX deliveries_leased ON deliveries (host, lease_expires_at) WHERE lease_expires_at IS NOT NULL;
  CREATE INDEX deliveries_of_owner ON deliveries (owner, seq);
  CREATE INDEX deliveries_of_job ON deliveries (job_id) WHERE job_id IS NOT NULL;
  CREATE INDEX deliveries_of_batch ON deliveries (batch_id) WHERE batch_id IS NOT NULL;
`;

const routing = `
  -- What the router decided, and every submission to a service: noted before it is sent.
  ALTER TABLE jobs ADD COLUMN routing TEXT;

  CREATE TABLE backend_outcomes (
    seq INTEGER PRIMARY KEY,
    backend TEXT NOT NULL,
    job_id TEXT NOT NULL, -- no foreign key: what was learnt outlives the job
    is_success INTEGER NOT NULL,
    ms INTEGER NOT NULL,
    rating REAL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX backend_outcomes_latest ON backend_outcomes (backend, seq);
  CREATE INDEX backend_outcomes_job ON backend_outcomes (job_id);
`;

export const migrations: readonly Migration[] = [
  { name: '0001-jobs', script: jobs },
  { name: '0002-idempotency-keys', script: idempotencyKeys },
  { name: '0003-api-keys', script: apiKeys },
  { name: '0004-write-probes', script: writeProbes },
  { name: '0005-batches', script: batches },
  { name: '0006-deliveries', script: deliveries },
  { name: '0007-routing', script: routing },
];

/**
 * Brings the tables up to date, one transaction per migration in which its name is recorded too.
 * Errors: `unsupported` if the file has been through a migration that this version does not know.
 */
export function migrate(db: Db, now: () => number, steps: readonly Migration[] = migrations): void {
  db.exec('CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT');
  const applied = new Set(db.all<{ name: string }>('SELECT name FROM migrations').map(({ name }) => name));
  const unknown = [...applied].find((name) => !steps.some((step) => step.name === name));
  if (unknown !== undefined) {
    throw new EngineError('unsupported', `The database was written by a newer Darkroom (${unknown}): run that version`);
  }
  for (const { name, script } of steps.filter((step) => !applied.has(step.name))) {
    db.transaction(() => {
      db.exec(script);
      db.run('INSERT INTO migrations (name, applied_at) VALUES (@name, @at)', { name, at: now() });
    });
  }
}
