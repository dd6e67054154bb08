import type { Job, Run, StatusUpdate } from './queries';

const UNDER_WAY = new Set<string>(['queued', 'running']);
const RUN_ENDED = new Set<string>(['completed', 'failed', 'cancelled']);

export const isUnderWay = (job: Job): boolean => UNDER_WAY.has(job.status);
export const hasEnded = (run: Run): boolean => RUN_ENDED.has(run.status);

/** Where its data may go; none: anywhere. */
export function listCountries(job: Job): string[] {
  const { residency } = job.parameters;
  const named = typeof residency === 'object' && residency !== null && 'countries' in residency;
  return named && Array.isArray(residency.countries) ? residency.countries.map(String) : [];
}

const AFTER_A_TRY = 8_000;

/** Milliseconds until the next try of a held run is over; null where none is held. */
export function untilNextTry(job: Job | undefined): number | null {
  const tries = (job?.runs ?? []).flatMap((run) => (run.next_try_at === null ? [] : [Date.parse(run.next_try_at)]));
  return tries.length > 0 ? Math.max(0, Math.min(...tries) - Date.now()) + AFTER_A_TRY : null;
}

/** A stretch of a run's history in one state: since when, and what was said in it, each sentence once. */
export interface Phase {
  status: StatusUpdate['status'];
  since: string;
  notes: { message: string; at: string }[];
}

export function findPhases(updates: StatusUpdate[], runId: string): Phase[] {
  const phases: Phase[] = [];
  for (const { status, message, occurred_at: at } of updates.filter((update) => update.run_id === runId)) {
    let phase = phases.at(-1);
    if (phase?.status !== status) {
      phase = { status, since: at, notes: [] };
      phases.push(phase);
    }
    if (message !== '' && phase.notes.at(-1)?.message !== message) phase.notes.push({ message, at });
  }
  return phases;
}
