/** Numbers, sizes and times as the reader's language writes them. */

export const formatCount = (value: number, language: string): string => new Intl.NumberFormat(language).format(value);

export const formatPercent = (share: number, language: string, digits = 0): string =>
  new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: digits }).format(share);

const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

export function formatBytes(bytes: number, language: string): string {
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), SIZES.length - 1);
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: SIZES[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: step === 0 ? 0 : 1,
  }).format(bytes / 1000 ** step);
}

export const formatMoment = (moment: string, language: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(moment));

export const formatClock = (moment: string, language: string): string =>
  new Intl.DateTimeFormat(language, { timeStyle: 'medium' }).format(new Date(moment));

/** Seconds as the two largest units that matter: "3 d 4 h", "2 min 5 s"; or as only one. */
export function formatDuration(seconds: number, language: string, most = 2): string {
  const units: [string, number][] = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
    ['second', 1],
  ];
  const first = units.findIndex(([, size]) => seconds >= size);
  const shown = units.slice(first === -1 ? 3 : first, first === -1 ? 4 : first + most);
  let left = Math.max(0, Math.round(seconds));
  return shown
    .map(([unit, size]) => {
      const count = Math.floor(left / size);
      left -= count * size;
      return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(count);
    })
    .join(' ');
}

export const secondsBetween = (start: string, end: string | null, now: number): number =>
  Math.max(0, ((end === null ? now : Date.parse(end)) - Date.parse(start)) / 1000);
