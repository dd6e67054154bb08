import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import { useTranslation } from 'react-i18next';

import { formatClock, formatDuration } from '@/shared/format/units';
import { MONO } from '@/shared/theme/theme';

import type { Incident } from '@/features/operations/api/queries';

import { MessageCell } from './MessageCell';

const SHORT_S = 10;

/** Short ones to the tenth of a second: what dies and is brought back at once is away for one or two. */
function formatLength(seconds: number, language: string): string {
  if (seconds >= SHORT_S) return formatDuration(seconds, language);
  const options = { style: 'unit', unit: 'second', unitDisplay: 'short', maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(language, options).format(seconds);
}

export function IncidentTable({ incidents }: { incidents: Incident[] }) {
  const { t, i18n } = useTranslation();
  const describeLength = ({ kind, duration_s: length }: Incident): string => {
    if (kind === 'restarted') return '–';
    return length === null ? t('operations.stillOn') : formatLength(length, i18n.language);
  };
  return (
    <Table size="small">
      <TableHead>
        <TableRow>
          <TableCell>{t('operations.service')}</TableCell>
          <TableCell>{t('operations.incident')}</TableCell>
          <TableCell align="right">{t('operations.began')}</TableCell>
          <TableCell align="right">{t('operations.lasted')}</TableCell>
          <TableCell>{t('operations.message')}</TableCell>
        </TableRow>
      </TableHead>
      <TableBody>
        {incidents.map((incident) => (
          <TableRow key={`${incident.service} ${incident.kind} ${incident.began_at}`}>
            <TableCell sx={{ fontFamily: MONO, fontWeight: 600 }}>{incident.service}</TableCell>
            <TableCell>{t(`operations.incidents.${incident.kind}`)}</TableCell>
            <TableCell align="right" sx={{ fontFamily: MONO, whiteSpace: 'nowrap' }}>
              {formatClock(incident.began_at, i18n.language)}
            </TableCell>
            <TableCell align="right" sx={{ fontFamily: MONO, whiteSpace: 'nowrap' }}>
              {describeLength(incident)}
            </TableCell>
            <MessageCell text={incident.message} />
          </TableRow>
        ))}
      </TableBody>
    </Table>
  );
}
