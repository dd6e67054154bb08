import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import LinearProgress from '@mui/material/LinearProgress';
import Typography from '@mui/material/Typography';
import { useEffect, useEffectEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { formatBytes, formatPercent } from '@/shared/format/units';
import { ErrorNote } from '@/shared/ui/ErrorNote';

import { uploadFile } from '@/features/submission/api/upload';

interface Props {
  file: File;
  onStored: (id: string) => void;
  onRemove: () => void;
}

/** One file on its way. Taking the row away ends the upload. */
export function UploadRow({ file, onStored, onRemove }: Props) {
  const { t, i18n } = useTranslation();
  const [share, setShare] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const stored = useEffectEvent(onStored);

  useEffect(() => {
    const ending = new AbortController();
    uploadFile(file, { onProgress: setShare, signal: ending.signal })
      .then((record) => stored(record.id))
      .catch((reason: unknown) => {
        if (!ending.signal.aborted) setError(reason);
      });
    return () => ending.abort();
  }, [file, attempt]);

  const retry = () => {
    setError(null);
    setShare(0);
    setAttempt((count) => count + 1);
  };

  return (
    <Box>
      <Box sx={{ display: 'flex', gap: 2, alignItems: 'center' }}>
        <Typography sx={{ flex: 1, minWidth: 0, fontWeight: 600, overflowWrap: 'anywhere' }}>{file.name}</Typography>
        <Typography variant="body2" sx={{ color: 'text.secondary', whiteSpace: 'nowrap' }}>
          {formatPercent(share, i18n.language)} · {formatBytes(file.size, i18n.language)}
        </Typography>
        <Button size="small" onClick={onRemove}>
          {t('common.cancel')}
        </Button>
      </Box>
      {error === null ? (
        <LinearProgress
          variant="determinate"
          value={Math.round(share * 100)}
          aria-label={t('files.uploading', { name: file.name })}
        />
      ) : (
        <ErrorNote error={error} onRetry={retry} />
      )}
    </Box>
  );
}
