/** How the gauge of a job or run is filled: while it goes on, when it is done, or when it ended otherwise. */
export const jobTone = (status: string): 'active' | 'done' | 'failed' =>
  status === 'completed' || status === 'partly_completed'
    ? 'done'
    : status === 'failed' || status === 'cancelled'
      ? 'failed'
      : 'active';
