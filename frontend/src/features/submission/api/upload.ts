import { readProblem } from '@/shared/api/problem';
import type { Schemas } from '@/shared/api/client';
import { getAccessToken } from '@/shared/api/tokens';

export type StoredFile = Schemas['FileRecord'];

interface Options {
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

/** Send the file's bytes as they are. XMLHttpRequest, since `fetch` does not tell how much of a body has gone. */
export async function uploadFile(file: File, { onProgress, signal }: Options): Promise<StoredFile> {
  const token = await getAccessToken();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `/api/v1/files?filename=${encodeURIComponent(file.name)}`);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.setRequestHeader('Authorization', `Bearer ${token ?? ''}`);
    request.responseType = 'json';
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () =>
      request.status === 201
        ? resolve(request.response as StoredFile)
        : reject(readProblem(request.status, request.response));
    request.onerror = () => reject(new TypeError('The upload was interrupted.'));
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
