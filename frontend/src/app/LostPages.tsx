import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { useTranslation } from 'react-i18next';

import { EmptyNote } from '@/shared/ui/EmptyNote';
import { ButtonLink } from '@/shared/ui/links';
import { PageHead } from '@/shared/ui/PageHead';

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <>
      <PageHead title={t('lost.title')} />
      <EmptyNote title={t('lost.lead')}>
        <ButtonLink to="/jobs" variant="outlined" sx={{ mt: 1 }}>
          {t('lost.home')}
        </ButtonLink>
      </EmptyNote>
    </>
  );
}

/** A fault of this page's own, or a part of it that could not be fetched (after an update of the platform, say). */
export function CrashPage() {
  const { t } = useTranslation();
  return (
    <Box component="main" sx={{ maxWidth: 640, mx: 'auto', p: 4 }}>
      <PageHead title={t('lost.crash')} lead={t('lost.crashLead')} />
      <Button variant="contained" onClick={() => window.location.reload()}>
        {t('lost.reload')}
      </Button>
    </Box>
  );
}
