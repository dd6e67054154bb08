import Alert from '@mui/material/Alert';
import AlertTitle from '@mui/material/AlertTitle';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { formatCount } from '@/shared/format/units';

import type { RunSummary } from '@/features/jobs/api/queries';

const SHOWN = 10;

/** What of the genotypes the results do not cover: sites leave out a chromosome, or a piece of one, and call it a success. */
export function CoverageNote({ summary }: { summary: RunSummary }) {
  const { t, i18n } = useTranslation();
  const { chromosomes_expected: expected, missing, gaps } = summary;
  if (expected === null) return null;
  const counts = { found: expected.length - missing.length, count: expected.length };
  if (missing.length === 0 && gaps.length === 0)
    return (
      <Typography variant="body2" sx={{ mb: 2, color: 'text.secondary' }}>
        {t('coverage.whole', { count: counts.count })}
      </Typography>
    );
  const list = new Intl.ListFormat(i18n.language, { type: 'conjunction' });
  const megabases = (position: number) => formatCount(Math.round(position / 100_000) / 10, i18n.language);
  return (
    <Alert severity="warning" sx={{ mb: 3 }}>
      <AlertTitle>{missing.length > 0 ? t('coverage.partial', counts) : t('coverage.incomplete')}</AlertTitle>
      {missing.length > 0 && <div>{t('coverage.missing', { names: list.format(missing) })}</div>}
      {gaps.length > 0 && (
        <>
          <div>{t('coverage.gaps')}</div>
          <ul style={{ margin: '4px 0 0', paddingLeft: 18 }}>
            {gaps.slice(0, SHOWN).map(({ name, start, end, typed_sites }) => (
              <li key={`${name}:${start}`}>
                {t('coverage.gap', {
                  name,
                  start: megabases(start),
                  end: megabases(end),
                  sites: formatCount(typed_sites, i18n.language),
                })}
              </li>
            ))}
          </ul>
          {gaps.length > SHOWN && <div>{t('coverage.more', { count: gaps.length - SHOWN })}</div>}
        </>
      )}
    </Alert>
  );
}
