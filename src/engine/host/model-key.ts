/** What a worker thread loads: a model, perhaps with the weights of its twin mixed in, perhaps on the CPU whatever the device. */
export interface ModelKey {
  id: string;
  /** A network of the same architecture, and its share of the mixture, 0..1. */
  twin?: { id: string; share: number };
  isOnCpu?: boolean;
}

/** The key as text, under which the model is cached: `id`, `id~twin~0.35`, `id@cpu`. */
export function modelKey({ id, twin, isOnCpu = false }: ModelKey): string {
  const mixed = twin && twin.share > 0 ? `${id}~${twin.id}~${twin.share.toFixed(2)}` : id;
  return isOnCpu ? `${mixed}@cpu` : mixed;
}

/** The key of this text. */
export function readModelKey(text: string): ModelKey {
  const [mixed = '', device] = text.split('@');
  const [id = '', twin, share] = mixed.split('~');
  return {
    id,
    ...(twin === undefined ? {} : { twin: { id: twin, share: Number(share) } }),
    ...(device === 'cpu' ? { isOnCpu: true } : {}),
  };
}
