import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { type ReactNode, useEffect } from 'react';

interface Props {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
}

/** The page's one h1; it names the document too, which screen readers announce on arrival. */
export function PageHead({ title, lead, actions }: Props) {
  useEffect(() => {
    document.title = `${title} · ImputeHub`;
  }, [title]);
  return (
    <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 2, alignItems: 'flex-end', mb: 3 }}>
      <Box sx={{ flex: '1 1 16rem', minWidth: 0 }}>
        <Typography variant="h1" sx={{ overflowWrap: 'anywhere' }}>
          {title}
        </Typography>
        {lead !== undefined && (
          <Typography component="div" sx={{ mt: 0.75, color: 'text.secondary', maxWidth: '46rem' }}>
            {lead}
          </Typography>
        )}
      </Box>
      {actions !== undefined && <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1 }}>{actions}</Box>}
    </Box>
  );
}
