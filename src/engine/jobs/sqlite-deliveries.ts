import type { Delivery, DeliveryAttempt, DeliveryFate, DeliveryQuery, DeliveryStore } from './delivery-store.js';
import type { GroupCommit } from './group-commit.js';
import type { JobTable } from './rows.js';

/** A row as SQLite keeps it; the attempts are JSON. */
type DeliveryRow = {
  seq: number;
  id: string;
  job_id: string | null;
  batch_id: string | null;
  owner: string;
  operation: string;
  status: Delivery['status'];
  url: string;
  host: string;
  state: Delivery['state'];
  attempts: string;
  tries: number;
  due_at: number | null;
  lease_expires_at: number | null;
  created_at: number;
  ended_at: number | null;
};

/** The DeliveryStore in the database of the jobs, whose endings call `ring`. */
export function sqliteDeliveries(table: JobTable, commit: GroupCommit): DeliveryStore & { ring(): void } {
  let ring = () => {};
  return {
    claim: (options) => commit.write(() => claimDeliveries(table, options)),
    settle: (id, attempt, fate) => commit.write(() => settleDelivery(table, id, { attempt, fate })),
    recover: () => commit.write(() => table.db.run(recoverSql)),
    async nextDueAt() {
      return table.db.get<{ due_at: number | null }>(nextDueSql, { at: table.now() })?.due_at ?? null;
    },
    async get(id) {
      return readDelivery(table, id);
    },
    async list(query) {
      return listDeliveries(table, query);
    },
    async redeliver(id) {
      await commit.write(() => table.db.run(redeliverSql, { id, at: table.now() }));
      ring();
      return readDelivery(table, id);
    },
    onDue(listener) {
      ring = listener;
    },
    ring: () => ring(),
  };
}

const recoverSql = 'UPDATE deliveries SET lease_expires_at = NULL WHERE lease_expires_at IS NOT NULL';

const nextDueSql = `
  SELECT min(due_at) AS due_at FROM deliveries
  WHERE state = 'pending' AND lease_expires_at IS NULL AND due_at > @at`;

const redeliverSql = `
  UPDATE deliveries SET state = 'pending', tries = 0, due_at = @at, ended_at = NULL WHERE id = @id`;

// From host to host along the index, so that ten thousand deliveries to one receiver cost no more than one.
const waitingHostsSql = `
  WITH RECURSIVE hosts (host) AS (
    SELECT min(host) FROM deliveries WHERE state = 'pending' AND lease_expires_at IS NULL
    UNION ALL
    SELECT (
      SELECT min(host) FROM deliveries
      WHERE state = 'pending' AND lease_expires_at IS NULL AND host > hosts.host
    ) FROM hosts WHERE hosts.host IS NOT NULL
  )
  SELECT host, (
    SELECT min(due_at) FROM deliveries
    WHERE state = 'pending' AND lease_expires_at IS NULL AND host = hosts.host
  ) AS due_at
  FROM hosts WHERE host IS NOT NULL`;

const takenSql = `
  SELECT count(*) AS taken FROM deliveries WHERE host = @host AND lease_expires_at IS NOT NULL`;

const takeSql = `
  UPDATE deliveries SET lease_expires_at = @leaseExpiresAt
  WHERE seq IN (
    SELECT seq FROM deliveries
    WHERE state = 'pending' AND lease_expires_at IS NULL AND host = @host AND due_at <= @at
    ORDER BY due_at
    LIMIT @room + 0
  )
  RETURNING *`;

function claimDeliveries(
  { db, now }: JobTable,
  { limit, perHost, leaseMs }: Parameters<DeliveryStore['claim']>[0],
): Delivery[] {
  const at = now();
  db.run('UPDATE deliveries SET lease_expires_at = NULL WHERE lease_expires_at <= @at', { at });
  const hosts = db.all<{ host: string; due_at: number }>(waitingHostsSql).filter(({ due_at }) => due_at <= at);
  const claimed: Delivery[] = [];
  for (const { host } of hosts.sort((a, b) => a.due_at - b.due_at)) {
    const { taken = 0 } = db.get<{ taken: number }>(takenSql, { host }) ?? {};
    const room = Math.min(perHost - taken, limit - claimed.length);
    if (room <= 0) continue;
    claimed.push(...db.all<DeliveryRow>(takeSql, { host, at, room, leaseExpiresAt: at + leaseMs }).map(toDelivery));
  }
  return claimed;
}

/** Of a delivery that is ordered again and again. */
const keptAttempts = 50;

const settleSql = `
  UPDATE deliveries
  SET state = @state, attempts = @attempts, tries = @tries, due_at = @dueAt, ended_at = @endedAt, lease_expires_at = NULL
  WHERE id = @id`;

function settleDelivery(
  table: JobTable,
  id: string,
  { attempt, fate }: { attempt: DeliveryAttempt; fate: DeliveryFate },
): void {
  const before = readDelivery(table, id);
  if (!before) return;
  const isPending = fate.state === 'pending';
  table.db.run(settleSql, {
    id,
    state: fate.state,
    attempts: JSON.stringify([...before.attempts, attempt].slice(-keptAttempts)),
    tries: before.tries + 1,
    dueAt: isPending ? fate.dueAt : null,
    endedAt: isPending ? null : table.now(),
  });
}

function readDelivery({ db }: JobTable, id: string): Delivery | null {
  const row = db.get<DeliveryRow>('SELECT * FROM deliveries WHERE id = @id', { id });
  return row ? toDelivery(row) : null;
}

const listSql = `
  SELECT * FROM deliveries
  WHERE owner = @owner
    AND seq < coalesce((SELECT seq FROM deliveries WHERE id = @after AND owner = @owner), 9223372036854775807)
    AND (@state IS NULL OR state = @state)
    AND (@subject IS NULL OR job_id = @subject OR batch_id = @subject)
  ORDER BY seq DESC
  LIMIT @limit + 0`;

function listDeliveries({ db }: JobTable, { owner, limit, after, state, subject }: DeliveryQuery): Delivery[] {
  const params = { owner, limit, after: after ?? null, state: state ?? null, subject: subject ?? null };
  return db.all<DeliveryRow>(listSql, params).map(toDelivery);
}

function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    kind: row.job_id === null ? 'batch' : 'job',
    subject: String(row.job_id ?? row.batch_id),
    owner: row.owner,
    operation: row.operation,
    status: row.status,
    url: row.url,
    state: row.state,
    attempts: JSON.parse(row.attempts),
    tries: row.tries,
    dueAt: row.due_at,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  };
}
