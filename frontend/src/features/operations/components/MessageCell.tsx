import TableCell from '@mui/material/TableCell';

/** Words of the machines. On narrow screens the table scrolls sideways rather than break them word by word. */
export function MessageCell({ text }: { text: string }) {
  return (
    <TableCell lang="en" sx={{ minWidth: text === '' ? undefined : '18rem' }}>
      {text}
    </TableCell>
  );
}
