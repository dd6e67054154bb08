import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { getAccessToken, renewAccess } from '@/shared/api/tokens';

import { gatherChanges } from './invalidation';
import { LiveChannel, type LiveState } from './liveChannel';

const channelUrl = (): string => `${window.location.origin.replace(/^http/, 'ws')}/api/v1/events`;

/** Keeps the live channel open while the page that uses this is there, and tells how it is. */
export function useLiveChannel(): LiveState {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');

  useEffect(() => {
    const channel = new LiveChannel({
      url: channelUrl(),
      getToken: (renew) => (renew ? renewAccess() : getAccessToken()),
      onEvent: gatherChanges(client),
      onGap: () => void client.invalidateQueries(),
      onState: setState,
    });
    channel.start();
    return () => channel.stop();
  }, [client]);

  return state;
}
