import Box from '@mui/material/Box';
import Checkbox from '@mui/material/Checkbox';
import FormControlLabel from '@mui/material/FormControlLabel';
import Stack from '@mui/material/Stack';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { makeUuid } from '@/shared/format/ids';
import { formatBytes, formatMoment } from '@/shared/format/units';
import { Section } from '@/shared/ui/Section';

import { useReadyFiles } from '@/features/submission/api/queries';

import { CheckReport } from './CheckReport';
import { DropZone } from './DropZone';
import { UploadRow } from './UploadRow';

interface Props {
  fileIds: string[];
  onChange: (update: (ids: string[]) => string[]) => void;
}

interface Upload {
  key: string;
  file: File;
}

export function GenotypesStep({ fileIds, onChange }: Props) {
  const { t } = useTranslation();
  const [uploads, setUploads] = useState<Upload[]>([]);
  const forget = (key: string) => setUploads((all) => all.filter((upload) => upload.key !== key));
  return (
    <>
      <Section title={t('files.upload')}>
        <DropZone
          onFiles={(files) => setUploads((all) => [...all, ...files.map((file) => ({ key: makeUuid(), file }))])}
        />
        <Stack spacing={1.5} sx={{ mt: uploads.length > 0 ? 2 : 0 }}>
          {uploads.map(({ key, file }) => (
            <UploadRow
              key={key}
              file={file}
              onRemove={() => forget(key)}
              onStored={(id) => {
                forget(key);
                onChange((ids) => [...ids, id]);
              }}
            />
          ))}
        </Stack>
      </Section>
      {fileIds.map((id) => (
        <CheckReport key={id} fileId={id} onRemove={() => onChange((ids) => ids.filter((other) => other !== id))} />
      ))}
      <EarlierFiles fileIds={fileIds} onChange={onChange} />
    </>
  );
}

function EarlierFiles({ fileIds, onChange }: Props) {
  const { t, i18n } = useTranslation();
  const files = useReadyFiles().data ?? [];
  if (files.length === 0) return null;
  const toggle = (id: string) =>
    onChange((ids) => (ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id]));
  return (
    <Section title={t('files.earlier')}>
      {files.map((file) => (
        <Box key={file.id} sx={{ py: 0.5 }}>
          <FormControlLabel
            control={<Checkbox checked={fileIds.includes(file.id)} onChange={() => toggle(file.id)} />}
            label={`${file.filename} · ${formatBytes(file.size, i18n.language)} · ${formatMoment(file.created_at, i18n.language)}`}
            sx={{ '& .MuiFormControlLabel-label': { overflowWrap: 'anywhere' } }}
          />
        </Box>
      ))}
    </Section>
  );
}
