import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogContentText from '@mui/material/DialogContentText';
import DialogTitle from '@mui/material/DialogTitle';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';

import { ErrorNote } from './ErrorNote';

interface Props {
  title: string;
  means: string;
  yes: string;
  error: unknown;
  pending: boolean;
  onNo: () => void;
  onYes: () => void;
}

/** Asked before something that cannot be undone. */
export function Confirmation({ title, means, yes, error, pending, onNo, onYes }: Props) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <Dialog open onClose={onNo} aria-labelledby={id}>
      <DialogTitle id={id}>{title}</DialogTitle>
      <DialogContent>
        <DialogContentText>{means}</DialogContentText>
        {Boolean(error) && <ErrorNote error={error} />}
      </DialogContent>
      <DialogActions>
        <Button onClick={onNo} autoFocus>
          {t('common.keep')}
        </Button>
        <Button color="error" variant="contained" loading={pending} onClick={onYes}>
          {yes}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
