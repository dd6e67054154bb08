import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, type Schemas } from '@/shared/api/client';
import { unwrap } from '@/shared/api/problem';

export type Notification = Schemas['NotificationView'];

const PAGE = 30;

export const useNotifications = () =>
  useInfiniteQuery({
    queryKey: ['notifications', 'list'],
    queryFn: ({ pageParam }) =>
      unwrap(api.GET('/api/v1/notifications', { params: { query: { limit: PAGE, cursor: pageParam } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export const useUnreadCount = () =>
  useQuery({
    queryKey: ['notifications', 'unread'],
    queryFn: () => unwrap(api.GET('/api/v1/notifications', { params: { query: { unread: true, limit: 1 } } })),
    select: (page) => page.total,
  });

/** Null marks all of them. */
export function useMarkRead() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string | null) => {
      await (id === null
        ? unwrap(api.POST('/api/v1/notifications/read-all'))
        : unwrap(
            api.POST('/api/v1/notifications/{notification_id}/read', { params: { path: { notification_id: id } } }),
          ));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['notifications'] }),
  });
}
