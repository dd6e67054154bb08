import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';

import { MONO } from '@/shared/theme/theme';

export const STEPS = ['genotypes', 'targets', 'parameters', 'review'] as const;

export function StepsBar({ current }: { current: number }) {
  const { t } = useTranslation();
  return (
    <Box
      component="ol"
      aria-label={t('newJob.progress')}
      sx={{ display: 'flex', gap: 1, m: 0, mb: 3, p: 0, listStyle: 'none' }}
    >
      {STEPS.map((step, index) => (
        <Box
          component="li"
          key={step}
          aria-current={index === current ? 'step' : undefined}
          sx={{
            flex: { xs: index === current ? '1 1 auto' : '0 0 44px', sm: '1 1 0' },
            borderTop: 3,
            borderColor: index <= current ? 'primary.main' : 'divider',
            pt: 1,
            fontSize: '0.875rem',
            fontWeight: index === current ? 600 : 400,
            color: index === current ? 'text.primary' : 'text.secondary',
            whiteSpace: 'nowrap',
          }}
        >
          <Box component="span" sx={{ fontFamily: MONO, mr: 1 }}>
            {index + 1}
          </Box>
          <Box component="span" sx={{ display: { xs: index === current ? 'inline' : 'none', sm: 'inline' } }}>
            {t(`newJob.steps.${step}`)}
          </Box>
        </Box>
      ))}
    </Box>
  );
}
