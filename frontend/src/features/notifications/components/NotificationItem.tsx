import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Card from '@mui/material/Card';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { formatMoment } from '@/shared/format/units';
import { TextLink } from '@/shared/ui/links';

import type { Notification } from '@/features/notifications/api/queries';

interface Props {
  item: Notification;
  onRead: () => void;
}

export function NotificationItem({ item, onRead }: Props) {
  const { t, i18n } = useTranslation();
  const unread = item.read_at === null;
  const jobId = item.data.job_id;
  return (
    <Card
      component="article"
      sx={{
        px: 2.5,
        py: 1.75,
        borderLeft: 4,
        borderLeftColor: unread ? 'secondary.light' : 'divider',
        display: 'flex',
        flexWrap: 'wrap',
        gap: 1.5,
        alignItems: 'center',
      }}
    >
      <Box sx={{ flex: '1 1 18rem', minWidth: 0 }}>
        <Typography variant="h3" component="h2" lang="en" sx={{ fontWeight: unread ? 600 : 400 }}>
          {typeof jobId === 'string' ? (
            <TextLink to={`/jobs/${jobId}`} color="inherit" onClick={() => unread && onRead()}>
              {item.title}
            </TextLink>
          ) : (
            item.title
          )}
        </Typography>
        <Typography lang="en" variant="body2" sx={{ my: 0.5, overflowWrap: 'anywhere' }}>
          {item.message}
        </Typography>
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          {formatMoment(item.created_at, i18n.language)}
        </Typography>
      </Box>
      {unread && (
        <Button size="small" onClick={onRead} aria-label={t('notifications.readOne', { title: item.title })}>
          {t('notifications.read')}
        </Button>
      )}
    </Card>
  );
}
