import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { ProblemError } from '@/shared/api/problem';
import { MONO } from '@/shared/theme/theme';

interface Props {
  error: unknown;
  onRetry?: (() => unknown) | undefined;
}

/** What went wrong, in the platform's own words, with the id under which operators find it. */
export function ErrorNote({ error, onRetry }: Props) {
  const { t } = useTranslation();
  const known = error instanceof ProblemError;
  const requestId = known ? error.requestId : undefined;
  return (
    <Alert
      severity="error"
      sx={{ mb: 2 }}
      action={
        onRetry && (
          <Button color="inherit" size="small" onClick={() => void onRetry()}>
            {t('common.retry')}
          </Button>
        )
      }
    >
      <span lang={known ? 'en' : undefined}>{known ? error.message : t('common.unreachable')}</span>
      {known && error.fields.length > 0 && (
        <ul lang="en" style={{ margin: '4px 0 0', paddingLeft: 18 }}>
          {error.fields.map(({ field, message }) => (
            <li key={field + message}>
              {field}: {message}
            </li>
          ))}
        </ul>
      )}
      {requestId !== undefined && (
        <Typography variant="caption" component="div" sx={{ mt: 0.5, fontFamily: MONO, overflowWrap: 'anywhere' }}>
          {t('common.requestId', { id: requestId })}
        </Typography>
      )}
    </Alert>
  );
}
