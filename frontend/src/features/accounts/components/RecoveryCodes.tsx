import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { MONO } from '@/shared/theme/theme';

interface Props {
  codes: string[];
  onStored: () => void;
}

/** The only time that they are to be seen. */
export function RecoveryCodes({ codes, onStored }: Props) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  const text = `${codes.join('\n')}\n`;
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <>
      <Alert severity="warning" sx={{ mb: 2 }}>
        {t('factor.codesOnce')}
      </Alert>
      <Box
        component="ul"
        aria-label={t('factor.codes')}
        sx={{
          m: '0 0 16px',
          p: 2,
          listStyle: 'none',
          display: 'grid',
          gap: 1,
          gridTemplateColumns: 'repeat(auto-fill, minmax(13rem, 1fr))',
          maxWidth: 640,
          border: 1,
          borderColor: 'divider',
          borderRadius: 1,
          fontFamily: MONO,
        }}
      >
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </Box>
      <Stack direction="row" useFlexGap spacing={1.5} sx={{ flexWrap: 'wrap' }}>
        <Button
          variant="outlined"
          autoFocus
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}
          download="imputehub-recovery-codes.txt"
        >
          {t('factor.download')}
        </Button>
        {/* Browsers give the clipboard to pages from https and from this machine only. */}
        {'clipboard' in navigator && (
          <Button variant="outlined" onClick={copy}>
            {t(copied ? 'factor.copied' : 'factor.copy')}
          </Button>
        )}
        <Button variant="contained" onClick={onStored}>
          {t('factor.stored')}
        </Button>
      </Stack>
    </>
  );
}
