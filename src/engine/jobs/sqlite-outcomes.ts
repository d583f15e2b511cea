import type { GroupCommit } from './group-commit.js';
import type { BackendRecord, OutcomeStore } from './outcome-store.js';
import type { JobTable } from './rows.js';

const keepMs = 30 * 24 * 60 * 60 * 1000;
const latest = 200;

const recordsSql = `
  SELECT backend, count(*) AS outcomes, sum(is_success) AS successes,
         avg(iif(is_success, ms, NULL)) AS meanMs, count(rating) AS ratings, avg(rating) AS meanRating
  FROM backend_outcomes
  WHERE at >= @since
  GROUP BY backend`;

/** No more than the latest are kept, so that reading them all for every choice costs next to nothing. */
const forgetSql = `
  DELETE FROM backend_outcomes
  WHERE backend = @backend AND seq <= (
    SELECT seq FROM backend_outcomes WHERE backend = @backend ORDER BY seq DESC LIMIT 1 OFFSET ${latest}
  )`;

const rateSql = `
  UPDATE backend_outcomes SET rating = @rating
  WHERE seq = (SELECT max(seq) FROM backend_outcomes WHERE job_id = @job AND is_success = 1)`;

/** The OutcomeStore in the database of the jobs. */
export function sqliteOutcomes({ db, now }: JobTable, commit: GroupCommit): OutcomeStore {
  return {
    async record({ backend, job, isSuccess, ms }) {
      const row = { backend, job, isSuccess: isSuccess ? 1 : 0, ms: Math.round(ms), at: now() };
      await commit.write(() => {
        db.run(
          `INSERT INTO backend_outcomes (backend, job_id, is_success, ms, at)
           VALUES (@backend, @job, @isSuccess, @ms, @at)`,
          row,
        );
        db.run(forgetSql, { backend });
      });
    },

    async rate(job, rating) {
      return (await commit.write(() => db.run(rateSql, { job, rating }))) === 1;
    },

    async records() {
      return db.all<BackendRecord>(recordsSql, { since: now() - keepMs });
    },
  };
}
