import Box from '@mui/material/Box';
import Link from '@mui/material/Link';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { formatBytes } from '@/shared/format/units';
import { MONO } from '@/shared/theme/theme';

import type { Result } from '@/features/jobs/api/queries';

/** Imputed genotypes first: they are what people came for. */
const ORDER: Result['kind'][] = ['imputed_data', 'quality_report', 'summary', 'log', 'metadata'];

export function ResultList({ results }: { results: Result[] }) {
  const { t, i18n } = useTranslation();
  const sorted = [...results].sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind));
  return (
    <>
      <Typography variant="h3" sx={{ mb: 1 }}>
        {t('run.results')}
      </Typography>
      <Box component="ul" sx={{ m: 0, p: 0, listStyle: 'none' }}>
        {sorted.map((result) => (
          <Box
            component="li"
            key={result.id}
            sx={{
              display: 'flex',
              justifyContent: 'space-between',
              columnGap: 2,
              py: 1,
              borderTop: 1,
              borderColor: 'divider',
            }}
          >
            <Box sx={{ minWidth: 0 }}>
              <Link href={result.download_url} download={result.filename} sx={{ overflowWrap: 'anywhere' }}>
                {result.filename}
              </Link>
              <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                {t(`run.kinds.${result.kind}`)} · SHA-256{' '}
                <Box component="span" title={result.sha256} sx={{ fontFamily: MONO }}>
                  {result.sha256.slice(0, 12)}…
                </Box>
              </Typography>
            </Box>
            <Typography variant="body2" sx={{ fontFamily: MONO, whiteSpace: 'nowrap' }}>
              {formatBytes(result.size, i18n.language)}
            </Typography>
          </Box>
        ))}
      </Box>
    </>
  );
}
