import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import Typography from '@mui/material/Typography';
import { QRCodeSVG } from 'qrcode.react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { MONO } from '@/shared/theme/theme';
import { ErrorNote } from '@/shared/ui/ErrorNote';

import type { Enrolment } from '@/features/accounts/api/secondFactor';

import { CodeField } from './CodeField';

const QR_PX = 192;

interface Props {
  enrolment: Enrolment;
  error: unknown;
  pending: boolean;
  onCode: (otp: string) => void;
  onCancel: () => void;
}

/** The secret for the app, as a picture and to type, and the app's first code, which shows that it was understood. */
export function EnrolmentGuide({ enrolment, error, pending, onCode, onCancel }: Props) {
  const { t } = useTranslation();
  const [code, setCode] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() !== '') onCode(code);
  };
  return (
    <Box component="form" onSubmit={submit} sx={{ display: 'flex', flexWrap: 'wrap', gap: 3 }}>
      <QRCodeSVG value={enrolment.otpauth_uri} size={QR_PX} marginSize={4} level="M" title={t('factor.picture')} />
      <Stack spacing={2} sx={{ flex: '1 1 18rem', maxWidth: 480 }}>
        <Typography>{t('factor.scan')}</Typography>
        <Box>
          <Typography sx={{ color: 'text.secondary' }}>{t('factor.key')}</Typography>
          <Typography sx={{ fontFamily: MONO, overflowWrap: 'anywhere' }}>
            {enrolment.secret.replace(/(.{4})(?=.)/g, '$1 ')}
          </Typography>
        </Box>
        {Boolean(error) && <ErrorNote error={error} />}
        <CodeField label={t('factor.code')} autoFocus value={code} onChange={(event) => setCode(event.target.value)} />
        <Stack direction="row" useFlexGap spacing={1.5} sx={{ flexWrap: 'wrap' }}>
          <Button type="submit" variant="contained" disabled={code.trim() === ''} loading={pending}>
            {t('factor.switchOn')}
          </Button>
          <Button onClick={onCancel}>{t('common.cancel')}</Button>
        </Stack>
      </Stack>
    </Box>
  );
}
