import Box from '@mui/material/Box';
import Card from '@mui/material/Card';
import Typography from '@mui/material/Typography';
import { type ReactNode, useId } from 'react';

interface Props {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
  /** Tables touch the frame. */
  flush?: boolean;
}

export function Section({ title, aside, children, flush = false }: Props) {
  const id = useId();
  return (
    <Card component="section" aria-labelledby={id} sx={{ mb: 3 }}>
      <Box
        sx={{
          display: 'flex',
          flexWrap: 'wrap',
          gap: 1,
          alignItems: 'center',
          justifyContent: 'space-between',
          px: { xs: 2, sm: 3 },
          pt: 2,
          pb: 1.5,
        }}
      >
        <Typography id={id} variant="h2">
          {title}
        </Typography>
        {aside}
      </Box>
      {flush ? (
        // What scrolls sideways on narrow screens can be reached, and so scrolled, by keyboard.
        <Box role="group" aria-labelledby={id} tabIndex={0} sx={{ overflowX: 'auto' }}>
          {children}
        </Box>
      ) : (
        <Box sx={{ px: { xs: 2, sm: 3 }, pb: 2.5 }}>{children}</Box>
      )}
    </Card>
  );
}
