import type { DeliveryAttempt, DeliveryFate } from '../jobs/delivery-store.js';

/** Of receivers that wait for one call only: nobody is there any more, and asking again will not change that (contract 83). */
const goneStatuses = [404, 409, 410];

export interface Plan {
  /** Attempts before this one. */
  tries: number;
  /** When each attempt is to be made, in seconds after the first. */
  schedule: readonly number[];
  now: number;
}

/** What follows from an attempt: any 2xx is a delivery, 404, 409 and 410 end it, anything else is tried again as planned. */
export function fateOf({ at, status }: DeliveryAttempt, { tries, schedule, now }: Plan): DeliveryFate {
  if (status !== null && status >= 200 && status < 300) return { state: 'delivered' };
  if (status !== null && goneStatuses.includes(status)) return { state: 'gone' };
  const [planned = 0, next] = schedule.slice(tries, tries + 2);
  if (next === undefined) return { state: 'exhausted' };
  // From this attempt on, not from the first: after a long outage the rest must not come all at once.
  return { state: 'pending', dueAt: Math.max(now, at + (next - planned) * 1000) };
}
