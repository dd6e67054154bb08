import Alert from '@mui/material/Alert';
import AlertTitle from '@mui/material/AlertTitle';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '@/shared/api/client';
import { MONO } from '@/shared/theme/theme';

/** Why a run ended without results: whose it is to act, and what to do. */
export function RunErrorNote({ error }: { error: Schemas['RunError'] }) {
  const { t } = useTranslation();
  return (
    <Alert severity={error.whose === 'input' ? 'warning' : 'error'} sx={{ mb: 3 }}>
      <AlertTitle>{t(`run.whose.${error.whose}`)}</AlertTitle>
      <Typography lang="en" sx={{ overflowWrap: 'anywhere' }}>
        {error.message}
      </Typography>
      {error.fix !== '' && (
        <Typography sx={{ mt: 0.5, overflowWrap: 'anywhere' }}>
          <strong>{t('files.whatToDo')}</strong> <span lang="en">{error.fix}</span>
        </Typography>
      )}
      <Typography variant="caption" component="div" sx={{ mt: 0.5, fontFamily: MONO }}>
        {error.code}
      </Typography>
    </Alert>
  );
}
