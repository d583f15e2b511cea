/** A tensor as plain data. */
export interface TensorData {
  type: 'uint8' | 'float32' | 'float16' | 'int64';
  data: Uint8Array | Float32Array | Uint16Array | BigInt64Array;
  dims: readonly number[];
}

/** A network ready to run on one device in this thread. */
export interface ModelSession {
  /** The execution provider that was verified to run it, for example `cpu`. */
  device: string;
  inputNames: readonly string[];
  outputNames: readonly string[];
  /** Runs the network. Blocks this thread while it runs: never call it where HTTP is served. Errors: `out_of_memory`, `internal`. */
  run(feeds: Record<string, TensorData>): Promise<Record<string, TensorData>>;
  /** Gives the memory back as far as the runtime does. */
  release(): Promise<void>;
}
