/** What one measurement found. */
export interface Figures {
  readonly messages: number;
  readonly seconds: number;
  /** Processor time of the measuring process for one message, microseconds: swings less than rates on a busy machine. */
  readonly cpuMicros: number;
  /** What a message took above a contestant that was measured beside it, microseconds: of this process, and of its processors. */
  readonly own?: { readonly micros: number; readonly cpuMicros: number; readonly besideMicros: number };
  /** Send to handler, milliseconds. */
  readonly latency?: { readonly p50: number; readonly p99: number };
  /** Of delayed messages, from the due time to the handler, milliseconds; below zero is early. */
  readonly deviation?: {
    readonly earliest: number;
    readonly p50: number;
    readonly p99: number;
    readonly worst: number;
  };
  /** Largest resident memory of the measuring process, MB. */
  readonly peakMb?: number;
}

/** Counts messages from a moment on. */
export class Meter {
  #count = 0;
  #from = 0;
  #fromCount = 0;
  #fromCpu = process.cpuUsage();

  get count(): number {
    return this.#count;
  }

  add(count: number): void {
    this.#count += count;
  }

  /** What was before was to warm up. */
  begin(): void {
    this.#from = performance.now();
    this.#fromCount = this.#count;
    this.#fromCpu = process.cpuUsage();
  }

  end(): Figures {
    const { user, system } = process.cpuUsage(this.#fromCpu);
    const messages = this.#count - this.#fromCount;
    return {
      messages,
      seconds: (performance.now() - this.#from) / 1000,
      cpuMicros: (user + system) / messages,
    };
  }
}

/** Of sorted or unsorted numbers. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
