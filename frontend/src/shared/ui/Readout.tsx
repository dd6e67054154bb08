import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';

import { MONO } from '@/shared/theme/theme';

/** A figure and what it is of. Several of them stand in a `Readouts`. */
export function Readout({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Box sx={{ minWidth: 0 }}>
      <Typography component="dt" variant="overline" sx={{ color: 'text.secondary' }}>
        {label}
      </Typography>
      <Typography component="dd" sx={{ m: 0, fontFamily: MONO, fontSize: '0.9375rem', overflowWrap: 'anywhere' }}>
        {children}
      </Typography>
    </Box>
  );
}

export function Readouts({ children, least = '8rem' }: { children: ReactNode; least?: string }) {
  return (
    <Box
      component="dl"
      sx={{ m: 0, display: 'grid', gap: 2, gridTemplateColumns: `repeat(auto-fill, minmax(min(${least}, 100%), 1fr))` }}
    >
      {children}
    </Box>
  );
}
