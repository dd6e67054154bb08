import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';

import { colours } from '@/shared/theme/theme';

/** A state in words, with a mark whose shape says the same as its colour. */
const KINDS = {
  good: { colour: colours.good, path: 'M2 6.5 5 9.5 10 3' },
  bad: { colour: colours.bad, path: 'M3 3 9 9M9 3 3 9' },
  active: { colour: colours.amberInk, path: 'M6 1.500A4.5 4.5 0 1 1 1.5 6' },
  waiting: { colour: colours.inkSoft, path: 'M2.5 6h7' },
  partial: { colour: colours.amberInk, path: 'M6 2v5M6 9.500v.2' },
} as const;

const KIND_OF = {
  queued: 'waiting',
  submitting: 'active',
  waiting_for_site: 'waiting',
  running: 'active',
  collecting: 'active',
  completed: 'good',
  partly_completed: 'partial',
  failed: 'bad',
  cancelled: 'waiting',
  healthy: 'good',
  degraded: 'partial',
  unhealthy: 'bad',
  unknown: 'waiting',
  ready: 'good',
  unready: 'partial',
  down: 'bad',
  ok: 'good',
  pass: 'good',
  warn: 'partial',
  fail: 'bad',
  allowed: 'good',
  refused: 'bad',
} as const satisfies Record<string, keyof typeof KINDS>;

export type Status = keyof typeof KIND_OF;

export function StatusMark({ status }: { status: Status }) {
  const { t } = useTranslation();
  const kind = KINDS[KIND_OF[status]];
  return (
    <Box
      component="span"
      sx={{
        display: 'inline-flex',
        alignItems: 'center',
        gap: 0.75,
        color: kind.colour,
        fontWeight: 600,
        whiteSpace: 'nowrap',
      }}
    >
      <svg width="14" height="14" viewBox="0 0 12 12" aria-hidden="true">
        <path d={kind.path} fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
      </svg>
      {t(`status.${status}`)}
    </Box>
  );
}
