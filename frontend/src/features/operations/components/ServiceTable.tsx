import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { formatBytes, formatCount, formatDuration, formatPercent } from '@/shared/format/units';
import { MONO } from '@/shared/theme/theme';
import { StatusMark } from '@/shared/ui/StatusMark';

import type { ServiceStatus } from '@/features/operations/api/queries';

const COLUMNS = ['p50', 'p95', 'errors', 'memory', 'uptime'] as const;

export function ServiceTable({ services }: { services: ServiceStatus[] }) {
  const { t } = useTranslation();
  return (
    <Table size="small">
      <TableHead>
        <TableRow>
          <TableCell>{t('operations.service')}</TableCell>
          <TableCell>{t('operations.state')}</TableCell>
          {COLUMNS.map((column) => (
            <TableCell key={column} align="right">
              {t(`operations.${column}`)}
            </TableCell>
          ))}
        </TableRow>
      </TableHead>
      <TableBody>
        {services.map((service) => (
          <ServiceRow key={service.name} service={service} />
        ))}
      </TableBody>
    </Table>
  );
}

function ServiceRow({ service }: { service: ServiceStatus }) {
  const { i18n } = useTranslation();
  const show = (value: number | null, format: (value: number, language: string) => string) =>
    value === null ? '–' : format(value, i18n.language);
  const milliseconds = (value: number, language: string) => `${formatCount(Math.round(value * 10) / 10, language)} ms`;
  const figures = [
    show(service.latency_p50_ms, milliseconds),
    show(service.latency_p95_ms, milliseconds),
    show(service.error_rate, (value, language) => formatPercent(value, language, 2)),
    show(service.memory_bytes, formatBytes),
    show(service.uptime_s, formatDuration),
  ];
  return (
    <TableRow>
      <TableCell component="th" scope="row" sx={{ fontFamily: MONO, fontWeight: 600 }}>
        {service.name}
        {service.error !== null && (
          <Typography
            lang="en"
            variant="caption"
            component="div"
            color="error"
            sx={{ width: 'max-content', maxWidth: '24rem' }}
          >
            {service.error}
          </Typography>
        )}
      </TableCell>
      <TableCell>
        <StatusMark status={service.state} />
      </TableCell>
      {figures.map((figure, index) => (
        <TableCell key={COLUMNS[index]} align="right" sx={{ fontFamily: MONO, whiteSpace: 'nowrap' }}>
          {figure}
        </TableCell>
      ))}
    </TableRow>
  );
}
