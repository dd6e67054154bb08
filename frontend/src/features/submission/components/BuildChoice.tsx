import Alert from '@mui/material/Alert';
import FormControl from '@mui/material/FormControl';
import FormControlLabel from '@mui/material/FormControlLabel';
import FormLabel from '@mui/material/FormLabel';
import Radio from '@mui/material/Radio';
import RadioGroup from '@mui/material/RadioGroup';
import { useTranslation } from 'react-i18next';

import { Section } from '@/shared/ui/Section';

import type { Build } from '@/features/submission/api/draft';

interface Props {
  build: Build | null;
  /** What the files themselves say: null if they do not; absent where there are no files, as in a template. */
  found?: Build | null | undefined;
  onChoose: (build: Build) => void;
}

export function BuildChoice({ build, found, onChoose }: Props) {
  const { t } = useTranslation();
  const ask = found === undefined ? 'templates.build' : found === null ? 'newJob.buildAsk' : 'newJob.buildFound';
  return (
    <Section title={t('newJob.build')}>
      <FormControl>
        <FormLabel id="build">{t(ask, { build: found })}</FormLabel>
        <RadioGroup row aria-labelledby="build" value={build ?? ''} onChange={(_, value) => onChoose(value as Build)}>
          <FormControlLabel value="hg38" control={<Radio />} label="hg38 (GRCh38)" />
          <FormControlLabel value="hg19" control={<Radio />} label="hg19 (GRCh37)" />
        </RadioGroup>
      </FormControl>
      {found && build !== found && <Alert severity="warning">{t('newJob.buildDiffers', { build: found })}</Alert>}
    </Section>
  );
}
