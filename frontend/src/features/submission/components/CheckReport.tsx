import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import LinearProgress from '@mui/material/LinearProgress';
import { useTranslation } from 'react-i18next';

import { formatCount } from '@/shared/format/units';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { Section } from '@/shared/ui/Section';
import { StatusMark } from '@/shared/ui/StatusMark';

import { type Quality, useCheckedFile } from '@/features/submission/api/queries';

import { IssueItem } from './IssueItem';

/** What the check found in a file, and for every finding what to do. */
export function CheckReport({ fileId, onRemove }: { fileId: string; onRemove: () => void }) {
  const { t } = useTranslation();
  const { file, quality, error } = useCheckedFile(fileId);
  return (
    <Section
      title={file?.filename ?? t('common.loading')}
      aside={
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 2 }}>
          {quality && <StatusMark status={quality.verdict} />}
          <Button size="small" onClick={onRemove}>
            {t('files.leaveOut')}
          </Button>
        </Box>
      }
    >
      {error && <ErrorNote error={error} />}
      {!quality && !error && (
        <Box role="status">
          {t('files.checking')}
          <LinearProgress aria-label={t('files.checking')} sx={{ mt: 1 }} />
        </Box>
      )}
      {quality && <Findings quality={quality} />}
    </Section>
  );
}

function Findings({ quality }: { quality: Quality }) {
  const { t, i18n } = useTranslation();
  const phased = quality.phased === null ? t('files.phasedMixed') : quality.phased ? t('common.yes') : t('common.no');
  return (
    <>
      <Readouts least="7rem">
        <Readout label={t('files.build')}>{quality.build ?? t('files.buildUnknown')}</Readout>
        <Readout label={t('files.chromosomes')}>{quality.chromosomes.join(', ') || '–'}</Readout>
        <Readout label={t('files.samples')}>{formatCount(quality.samples, i18n.language)}</Readout>
        <Readout label={t('files.variants')}>{formatCount(quality.variants, i18n.language)}</Readout>
        <Readout label={t('files.phased')}>{phased}</Readout>
      </Readouts>
      {quality.issues.length > 0 && (
        <Box
          component="ul"
          aria-label={t('files.findings')}
          sx={{ m: 0, mt: 2.5, p: 0, listStyle: 'none', display: 'grid', gap: 1.5 }}
        >
          {quality.issues.map((issue) => (
            <IssueItem key={issue.code} issue={issue} />
          ))}
        </Box>
      )}
    </>
  );
}
