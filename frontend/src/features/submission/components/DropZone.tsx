import UploadFileOutlined from '@mui/icons-material/UploadFileOutlined';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { type DragEvent, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

/** Files by drag and drop, or by the button, which keyboards reach as well. */
export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const hint = useId();

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    onFiles([...event.dataTransfer.files]);
  };

  return (
    <Box
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      sx={{
        border: '1.5px dashed',
        borderColor: over ? 'secondary.light' : 'primary.light',
        bgcolor: over ? '#fdf6ea' : 'background.default',
        borderRadius: 1,
        p: { xs: 2.5, sm: 4 },
        textAlign: 'center',
      }}
    >
      <Button
        variant="contained"
        startIcon={<UploadFileOutlined />}
        aria-describedby={hint}
        onClick={() => input.current?.click()}
      >
        {t('files.choose')}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept=".gz,.vcf,.bgz"
        aria-label={t('files.choose')}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
      <Typography id={hint} variant="body2" sx={{ mt: 1.5, color: 'text.secondary' }}>
        {t('files.hint')}
      </Typography>
    </Box>
  );
}
