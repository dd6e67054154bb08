import Card from '@mui/material/Card';
import type { ReactNode } from 'react';

/** One of a list: its parts stand in `columns` (CSS), or below one another where the screen is narrow. */
export function ListCard({ columns, children }: { columns: string; children: ReactNode }) {
  return (
    <Card
      component="article"
      sx={{
        px: 2.5,
        py: 2,
        display: 'grid',
        columnGap: 3,
        rowGap: 1,
        alignItems: 'center',
        gridTemplateColumns: { xs: '1fr', md: columns },
      }}
    >
      {children}
    </Card>
  );
}
