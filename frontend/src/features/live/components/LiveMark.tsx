import Box from '@mui/material/Box';
import Tooltip from '@mui/material/Tooltip';
import { useTranslation } from 'react-i18next';

import type { LiveState } from '@/features/live/api/liveChannel';
import { colours } from '@/shared/theme/theme';

const COLOURS: Record<LiveState, string> = { connecting: colours.mist, open: '#7fd0a0', interrupted: colours.amber };

/** Whether what is on the page follows events as they happen. */
export function LiveMark({ state }: { state: LiveState }) {
  const { t } = useTranslation();
  return (
    <Tooltip title={t(`live.${state}Hint`)}>
      <Box role="status" sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.75, fontSize: '0.8125rem' }}>
        <Box aria-hidden="true" sx={{ width: 8, height: 8, borderRadius: '50%', bgcolor: COLOURS[state] }} />
        {t(`live.${state}`)}
      </Box>
    </Tooltip>
  );
}
