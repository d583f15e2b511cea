// A thread that sends photographs to a server for as long as it lives, more than its workers can take.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

export interface LoadWork {
  url: string;
  pictures: string[];
  /** Between two uploads. */
  everyMs: number;
}

const { url, pictures, everyMs } = workerData as LoadWork;
const files = pictures.map((path) => new Blob([new Uint8Array(readFileSync(path))]));
for (let sent = 0; ; sent += 1) {
  void post(sent);
  await pause(everyMs);
}

/** Every fourth one to be enlarged, which keeps a worker for seconds. */
async function post(sent: number): Promise<void> {
  const body = new FormData();
  body.append('image', files[sent % files.length] as Blob, 'photo.jpg');
  const operation = sent % 4 === 0 ? 'super-resolution' : 'background-removal';
  const answer = await fetch(`${url}/api/generate/${operation}`, { method: 'POST', body });
  parentPort?.postMessage(answer.status);
  await answer.arrayBuffer();
}
