import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import { useTranslation } from 'react-i18next';

import type { Panel } from '@/shared/catalogue/queries';
import { formatCount } from '@/shared/format/units';
import { MONO } from '@/shared/theme/theme';
import { TextLink } from '@/shared/ui/links';

export function PanelTable({ panels, withSite = false }: { panels: Panel[]; withSite?: boolean }) {
  const { t, i18n } = useTranslation();
  const count = (value: number | null) => (value === null ? '–' : formatCount(value, i18n.language));
  return (
    <Table size="small">
      <TableHead>
        <TableRow>
          <TableCell>{t('sites.panel')}</TableCell>
          {withSite && <TableCell>{t('sites.site')}</TableCell>}
          <TableCell>{t('sites.build')}</TableCell>
          <TableCell>{t('sites.populations')}</TableCell>
          <TableCell align="right">{t('sites.samples')}</TableCell>
          <TableCell align="right">{t('sites.variants')}</TableCell>
        </TableRow>
      </TableHead>
      <TableBody>
        {panels.map((panel) => (
          <TableRow key={panel.id}>
            <TableCell component="th" scope="row" sx={{ fontWeight: 600 }}>
              {panel.name}
            </TableCell>
            {withSite && (
              <TableCell>
                <TextLink to={`/sites/${panel.service_id}`}>{panel.service_name}</TextLink>
              </TableCell>
            )}
            <TableCell sx={{ fontFamily: MONO }}>{panel.build}</TableCell>
            <TableCell>{panel.populations.join(', ')}</TableCell>
            <TableCell align="right" sx={{ fontFamily: MONO }}>
              {count(panel.samples_count)}
            </TableCell>
            <TableCell align="right" sx={{ fontFamily: MONO }}>
              {count(panel.variants_count)}
            </TableCell>
          </TableRow>
        ))}
      </TableBody>
    </Table>
  );
}
