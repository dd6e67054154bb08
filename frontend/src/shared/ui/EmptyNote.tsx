import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';

/** Nothing is here yet: why, and what makes something appear. */
export function EmptyNote({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Box sx={{ border: '1px dashed', borderColor: 'divider', borderRadius: 1, px: 3, py: 5, textAlign: 'center' }}>
      <Typography sx={{ fontWeight: 600 }}>{title}</Typography>
      <Box sx={{ mt: 1, color: 'text.secondary' }}>{children}</Box>
    </Box>
  );
}
