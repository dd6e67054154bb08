import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Site } from '@/shared/catalogue/queries';
import { formatMoment } from '@/shared/format/units';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Section } from '@/shared/ui/Section';

import { useCredentials, useSetCredential } from '@/features/sites/api/queries';

/** A site's token belongs to a person: it is stored encrypted, used for their runs, and never shown again. */
export function CredentialSection({ site }: { site: Site }) {
  const { t, i18n } = useTranslation();
  const credentials = useCredentials();
  const save = useSetCredential(site.id);
  const [text, setText] = useState('');
  const setAt = credentials.data?.get(site.id);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() !== '') save.mutate(text, { onSuccess: () => setText('') });
  };

  return (
    <Section title={t('credential.title')}>
      <Typography sx={{ mb: 2, color: 'text.secondary', maxWidth: '46rem' }}>{t('credential.lead')}</Typography>
      {save.error && <ErrorNote error={save.error} />}
      {setAt !== undefined && (
        <Alert
          severity="success"
          sx={{ mb: 2 }}
          action={
            <Button color="inherit" size="small" loading={save.isPending} onClick={() => save.mutate(null)}>
              {t('credential.remove')}
            </Button>
          }
        >
          {t('credential.stored', { moment: formatMoment(setAt, i18n.language) })}
        </Alert>
      )}
      {credentials.data && setAt === undefined && (
        <Alert severity={site.credential_shared ? 'info' : 'warning'} sx={{ mb: 2 }}>
          {t(site.credential_shared ? 'credential.shared' : 'credential.missing')}
        </Alert>
      )}
      <Box component="form" onSubmit={submit} sx={{ display: 'flex', flexWrap: 'wrap', gap: 1.5, maxWidth: 640 }}>
        <TextField
          sx={{ flex: '1 1 16rem' }}
          type="password"
          autoComplete="off"
          label={t(setAt === undefined ? 'credential.field' : 'credential.replace')}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" variant="contained" disabled={text.trim() === ''} loading={save.isPending}>
          {t('credential.save')}
        </Button>
      </Box>
    </Section>
  );
}
