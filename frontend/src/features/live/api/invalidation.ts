import type { QueryClient, QueryKey } from '@tanstack/react-query';

import { takeFigures } from './figures';
import type { LiveEvent } from './liveChannel';

/** Events come in bursts; what they change is read once for all that come within this time (ms). */
const GATHER_MS = 250;

/** Which of the things on the screen an event has changed. */
export function findChanged(event: LiveEvent): QueryKey[] {
  const id = (name: string): string => String(event.data[name]);
  switch (event.type) {
    case 'job.updated':
    case 'run.updated':
      return [['jobs'], ['job', id('job_id')]];
    case 'file.checked':
      return [['files'], ['file', id('file_id')]];
    case 'service.health_changed':
      // A step switches a silent site off or on again, and its panels with it.
      return [['sites'], ['site', id('service_id')], ['overview'], ...(event.data.step ? [['panels']] : [])];
    case 'service.changed':
      return [['sites'], ['site', id('service_id')], ['panels'], ['overview']];
    case 'platform.service_changed':
      return [['overview']];
    case 'site_credential.changed':
      return [['credentials']];
    case 'second_factor.changed':
      return [['second-factor']];
    case 'notification.created':
      return [['notifications']];
    default:
      return [];
  }
}

/** A function that takes events and makes what they changed be read anew, each thing once per burst. */
export function gatherChanges(client: QueryClient): (event: LiveEvent) => void {
  const waiting = new Map<string, QueryKey>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    const keys = [...waiting.values()];
    waiting.clear();
    keys.forEach((queryKey) => void client.invalidateQueries({ queryKey }));
  };
  return (event) => {
    if (event.type === 'platform.measured') takeFigures(client, event.data);
    findChanged(event).forEach((key) => waiting.set(JSON.stringify(key), key));
    if (waiting.size > 0) timer ??= setTimeout(flush, GATHER_MS);
  };
}
