import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogTitle from '@mui/material/DialogTitle';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ErrorNote } from '@/shared/ui/ErrorNote';

import { type NewTemplate, useSaveTemplate } from '@/features/submission/api/templates';

import { ShareChoice } from './ShareChoice';

interface Props {
  /** What is suggested as its name. */
  name: string;
  settings: Omit<NewTemplate, 'name' | 'shared'>;
}

/** What has been put together, kept under a name; the genotypes are no part of it. */
export function SaveTemplate({ name, settings }: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const save = useSaveTemplate(null);
  return (
    <>
      <Button variant="outlined" onClick={() => setOpen(true)}>
        {t('templates.saveAs')}
      </Button>
      {open && <NameDialog name={name} settings={settings} save={save} onClose={() => setOpen(false)} />}
      {save.data && !open && (
        <Alert severity="success" sx={{ width: '100%' }}>
          {t('templates.saved', { name: save.data.name })}
        </Alert>
      )}
    </>
  );
}

interface DialogProps extends Props {
  save: ReturnType<typeof useSaveTemplate>;
  onClose: () => void;
}

function NameDialog({ name, settings, save, onClose }: DialogProps) {
  const { t } = useTranslation();
  const title = useId();
  const [text, setText] = useState(name);
  const [shared, setShared] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ ...settings, name: text.trim(), shared }, { onSuccess: onClose });
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={title} fullWidth maxWidth="xs">
      <form onSubmit={submit}>
        <DialogTitle id={title}>{t('templates.saveAs')}</DialogTitle>
        <DialogContent>
          <Typography sx={{ mb: 2, color: 'text.secondary' }}>{t('templates.saveLead')}</Typography>
          {save.error && <ErrorNote error={save.error} />}
          <TextField
            autoFocus
            label={t('templates.name')}
            value={text}
            slotProps={{ htmlInput: { maxLength: 200 } }}
            onChange={(event) => setText(event.target.value)}
          />
          <ShareChoice shared={shared} onChange={setShared} />
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button type="submit" variant="contained" disabled={text.trim() === ''} loading={save.isPending}>
            {t('templates.save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
