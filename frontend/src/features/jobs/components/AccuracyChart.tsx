import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { BarChart } from '@mui/x-charts/BarChart';
import { useTranslation } from 'react-i18next';

import { formatCount } from '@/shared/format/units';
import { colours } from '@/shared/theme/theme';

import type { RunSummary } from '@/features/jobs/api/queries';

/** Mean R² (as the site estimates it) by minor allele frequency; the same figures stand in a table for who cannot see it. */
export function AccuracyChart({ summary }: { summary: RunSummary }) {
  const { t, i18n } = useTranslation();
  const percent = (share: number) => formatCount(100 * share, i18n.language);
  const bins = summary.bins.map((bin) => ({ ...bin, label: `${percent(bin.maf_over)}–${percent(bin.maf_up_to)}` }));
  const r2 = (value: number | null) =>
    value === null
      ? '–'
      : new Intl.NumberFormat(i18n.language, { minimumFractionDigits: 3, maximumFractionDigits: 3 }).format(value);
  return (
    <Box component="figure" sx={{ m: 0, mb: 3 }}>
      <Typography variant="h3" component="figcaption">
        {t('run.accuracy')}
      </Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {t('run.accuracyOf', { sites: formatCount(summary.sites_total, i18n.language) })}
      </Typography>
      <Box aria-hidden="true">
        <BarChart
          height={230}
          hideLegend
          disableKeyboardNavigation
          margin={{ left: 0, right: 8, bottom: 4 }}
          colors={[colours.pine]}
          borderRadius={2}
          grid={{ horizontal: true }}
          xAxis={[
            {
              data: bins.map((bin) => bin.label),
              scaleType: 'band',
              label: t('run.maf'),
              categoryGapRatio: 0.35,
              height: 48,
              tickLabelInterval: () => true,
              tickLabelStyle: { fontSize: 11 },
            },
          ]}
          yAxis={[{ min: 0, max: 1, tickNumber: 5, width: 36 }]}
          series={[{ data: bins.map((bin) => bin.mean_r2), label: 'R²', valueFormatter: r2 }]}
        />
      </Box>
      <Box
        component="table"
        sx={{
          width: '100%',
          borderCollapse: 'collapse',
          fontSize: '0.8125rem',
          '& td, & th': { textAlign: 'right', py: 0.25, fontWeight: 400 },
          '& th:first-of-type': { textAlign: 'left' },
        }}
      >
        <thead>
          <tr>
            <th scope="col">{t('run.maf')}</th>
            <th scope="col">{t('run.meanR2')}</th>
            <th scope="col">{t('run.sites')}</th>
          </tr>
        </thead>
        <tbody>
          {bins.map((bin) => (
            <tr key={bin.label}>
              <th scope="row">{bin.label}</th>
              <td>{r2(bin.mean_r2)}</td>
              <td>{formatCount(bin.sites, i18n.language)}</td>
            </tr>
          ))}
        </tbody>
      </Box>
    </Box>
  );
}
