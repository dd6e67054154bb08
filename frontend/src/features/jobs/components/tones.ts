import type { Tone } from '@/shared/ui/DensityStrip';

const ENDED: Record<string, Tone> = {
  completed: 'done',
  partly_completed: 'done',
  failed: 'failed',
  cancelled: 'stopped',
};

/** How the gauge of a job or run is filled: while it goes on, when it is done, or when it ended otherwise. */
export const jobTone = (status: string): Tone => ENDED[status] ?? 'active';
