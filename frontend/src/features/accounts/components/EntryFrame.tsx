import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { colours } from '@/shared/theme/theme';
import { Brand } from '@/shared/ui/Brand';
import { LanguageChoice } from '@/shared/ui/LanguageChoice';

import { Haplotypes } from './Haplotypes';

/** The pages before the log-in: what this is on one side, the form on the other. */
export function EntryFrame({ title, children }: { title: string; children: ReactNode }) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = `${title} · ImputeHub`;
  }, [title]);
  return (
    <Box
      sx={{
        minHeight: '100dvh',
        display: 'grid',
        gridTemplateColumns: { xs: '1fr', md: '1.1fr 1fr' },
        gridTemplateRows: { xs: 'auto 1fr', md: '1fr' },
      }}
    >
      <Box
        component="header"
        sx={{
          bgcolor: colours.spruce,
          color: '#eef4f1',
          p: { xs: 3, md: 7 },
          display: 'flex',
          flexDirection: 'column',
          gap: { xs: 2, md: 4 },
        }}
      >
        <Brand />
        <Box sx={{ my: 'auto', maxWidth: '34rem' }}>
          <Typography
            sx={{
              fontSize: { xs: '1.375rem', md: '2.25rem' },
              fontWeight: 600,
              lineHeight: 1.15,
              letterSpacing: '-0.02em',
            }}
          >
            {t('entry.claim')}
          </Typography>
          <Typography sx={{ mt: 2, color: '#c3d6d0', display: { xs: 'none', sm: 'block' } }}>
            {t('entry.lead')}
          </Typography>
          <Box sx={{ mt: 5, display: { xs: 'none', md: 'block' } }}>
            <Haplotypes />
          </Box>
        </Box>
      </Box>
      <Box component="main" sx={{ display: 'flex', flexDirection: 'column', p: { xs: 3, md: 7 } }}>
        <Box sx={{ alignSelf: 'flex-end' }}>
          <LanguageChoice />
        </Box>
        <Box sx={{ m: { xs: '16px 0', md: 'auto' }, width: '100%', maxWidth: 400 }}>
          <Typography variant="h1" sx={{ mb: 3 }}>
            {title}
          </Typography>
          {children}
        </Box>
      </Box>
    </Box>
  );
}
