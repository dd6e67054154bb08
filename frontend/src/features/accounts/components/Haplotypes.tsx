import { useTranslation } from 'react-i18next';

import { colours, MONO } from '@/shared/theme/theme';

/** What goes in and what comes back: few typed sites, and the same stretch with the sites in between. */
const TICKS = 64;
const isTyped = (index: number): boolean => (index * 7 + 3) % 11 < 2;

function Row({ y, filled }: { y: number; filled: boolean }) {
  return Array.from({ length: TICKS }, (_, index) =>
    filled || isTyped(index) ? (
      <rect
        key={index}
        x={index * 8}
        y={y}
        width={3}
        height={26}
        rx={1}
        fill={isTyped(index) ? colours.mist : colours.amber}
      />
    ) : null,
  );
}

export function Haplotypes() {
  const { t } = useTranslation();
  return (
    <svg viewBox="0 0 512 112" width="100%" role="img" aria-label={t('entry.picture')}>
      <g fontFamily={MONO} fontSize="11" fill="#c3d6d0">
        <text x="0" y="10">
          {t('entry.typed')}
        </text>
        <text x="0" y="70">
          {t('entry.imputed')}
        </text>
      </g>
      <Row y={18} filled={false} />
      <Row y={78} filled />
    </svg>
  );
}
