import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';

import type { Site } from './queries';

/** Those that people may miss, once their job is there. */
const MISSED = ['cancels', 'finds_by_mark', 'hands_out_results', 'restarts'] as const;

/** What cannot be counted on at a site; nothing where nothing of it is missed, or where that is not known. */
export function SiteFacts({ site }: { site: Site }) {
  const { t } = useTranslation();
  const missed = MISSED.filter((name) => site.capabilities?.[name] === false);
  if (missed.length === 0) return null;
  return (
    <Box component="ul" sx={{ m: 0, mb: 1.5, pl: 2.5, color: 'text.secondary', fontSize: '0.875rem' }}>
      {missed.map((name) => (
        <li key={name}>{t(`capabilities.without.${name}`)}</li>
      ))}
    </Box>
  );
}
