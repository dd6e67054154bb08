import type { QueryClient } from '@tanstack/react-query';

const KEY = ['overview'];
/** The sites' latencies are not among the figures that come; the platform asks sites about as often (ms). */
const SITES_AGE_MS = 5 * 60_000;

interface Measured {
  measured_at: string | null;
}

/** Puts the platform's latest figures into the overview that is there. They come whole, so nothing is asked for. */
export function takeFigures(client: QueryClient, data: Record<string, unknown>): void {
  const state = client.getQueryState<Measured>(KEY);
  if (state?.data === undefined) return;
  if (Date.now() - state.dataUpdatedAt > SITES_AGE_MS) {
    void client.invalidateQueries({ queryKey: KEY });
    return;
  }
  const isOlder = String(data['measured_at'] ?? '') < (state.data.measured_at ?? '');
  if (!isOlder) client.setQueryData(KEY, { ...state.data, ...data }, { updatedAt: state.dataUpdatedAt });
}
