import Box from '@mui/material/Box';

import { colours } from '@/shared/theme/theme';

/**
 * What imputation does, as a gauge: a few typed sites stand from the start, the sites in between fill in with the
 * progress. Which ticks are typed, and in which order the others appear, is fixed, so that nothing flickers.
 */
const TICKS = 72;
const isTyped = (index: number): boolean => (index * 7 + 3) % 11 < 2;
// 29 and 72 share no factor, so every tick has its own turn.
const turnOf = (index: number): number => ((index * 29) % TICKS) / TICKS;

export type Tone = 'active' | 'done' | 'failed' | 'stopped';
const TONES: Record<Tone, string> = {
  active: colours.amber,
  done: colours.pine,
  failed: colours.bad,
  stopped: colours.mist,
};

interface Props {
  /** 0–100; null while the site does not tell how far it is. */
  progress: number | null;
  tone?: Tone;
  label: string;
  height?: number;
}

export function DensityStrip({ progress, tone = 'active', label, height = 22 }: Props) {
  const value = progress === null ? {} : { 'aria-valuenow': Math.round(progress) };
  return (
    <Box role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} {...value} sx={{ width: '100%' }}>
      <svg width="100%" height={height} viewBox={`0 0 ${TICKS * 4} 20`} preserveAspectRatio="none" aria-hidden="true">
        {Array.from({ length: TICKS }, (_, index) => {
          const reached = turnOf(index) * 100 < (progress ?? 0);
          const typed = isTyped(index);
          return (
            <rect
              key={index}
              x={index * 4 + 1}
              width={2}
              y={typed ? 0 : 4}
              height={typed ? 20 : 16}
              fill={typed ? colours.spruce : reached ? TONES[tone] : colours.rule}
            />
          );
        })}
      </svg>
    </Box>
  );
}
