import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import { useTranslation } from 'react-i18next';

import { formatCount } from '@/shared/format/units';
import { MONO } from '@/shared/theme/theme';
import { TextLink } from '@/shared/ui/links';
import { type Status, StatusMark } from '@/shared/ui/StatusMark';

import type { SiteStatus } from '@/features/operations/api/queries';

import { MessageCell } from './MessageCell';

export function SiteTable({ sites }: { sites: SiteStatus[] }) {
  const { t, i18n } = useTranslation();
  return (
    <Table size="small">
      <TableHead>
        <TableRow>
          <TableCell>{t('sites.site')}</TableCell>
          <TableCell>{t('operations.state')}</TableCell>
          <TableCell align="right">{t('sites.answersIn')}</TableCell>
          <TableCell>{t('operations.message')}</TableCell>
        </TableRow>
      </TableHead>
      <TableBody>
        {sites.map((site) => (
          <TableRow key={site.id}>
            <TableCell component="th" scope="row">
              <TextLink to={`/sites/${site.id}`}>{site.name}</TextLink>
            </TableCell>
            <TableCell>
              <StatusMark status={site.health_status as Status} />
            </TableCell>
            <TableCell align="right" sx={{ fontFamily: MONO, whiteSpace: 'nowrap' }}>
              {typeof site.response_time_ms === 'number'
                ? `${formatCount(Math.round(site.response_time_ms), i18n.language)} ms`
                : '–'}
            </TableCell>
            <MessageCell text={site.error_message ?? ''} />
          </TableRow>
        ))}
      </TableBody>
    </Table>
  );
}
