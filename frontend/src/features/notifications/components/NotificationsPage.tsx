import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import { useTranslation } from 'react-i18next';

import { EmptyNote } from '@/shared/ui/EmptyNote';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Loading } from '@/shared/ui/Loading';
import { PageHead } from '@/shared/ui/PageHead';

import { useMarkRead, useNotifications } from '@/features/notifications/api/queries';

import { NotificationItem } from './NotificationItem';

export function NotificationsPage() {
  const { t } = useTranslation();
  const notifications = useNotifications();
  const markRead = useMarkRead();
  const items = notifications.data?.pages.flatMap((page) => page.items) ?? [];
  const hasUnread = items.some((item) => item.read_at === null);
  return (
    <>
      <PageHead
        title={t('notifications.title')}
        lead={t('notifications.lead')}
        actions={
          hasUnread && (
            <Button variant="outlined" loading={markRead.isPending} onClick={() => markRead.mutate(null)}>
              {t('notifications.readAll')}
            </Button>
          )
        }
      />
      {(notifications.error ?? markRead.error) && <ErrorNote error={notifications.error ?? markRead.error} />}
      {notifications.isPending && <Loading />}
      {notifications.data && items.length === 0 && (
        <EmptyNote title={t('notifications.none')}>{t('notifications.noneHint')}</EmptyNote>
      )}
      <Stack component="ul" spacing={1} sx={{ m: 0, p: 0, listStyle: 'none' }}>
        {items.map((item) => (
          <li key={item.id}>
            <NotificationItem item={item} onRead={() => markRead.mutate(item.id)} />
          </li>
        ))}
      </Stack>
      {notifications.hasNextPage && (
        <Button
          sx={{ mt: 2 }}
          loading={notifications.isFetchingNextPage}
          onClick={() => void notifications.fetchNextPage()}
        >
          {t('common.more')}
        </Button>
      )}
    </>
  );
}
