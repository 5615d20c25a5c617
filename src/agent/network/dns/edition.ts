/**
 * The number of the present names, seen by the thread that answers at the very moment it grows: what is counted here
 * is answered no more from what was kept before. Whatever an answer rests on advances it.
 */
export class Edition {
  readonly shared: Int32Array<SharedArrayBuffer>

  /** Of another thread's; by default one of its own. */
  constructor(shared = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))) {
    this.shared = shared
  }

  get now(): number {
    return Atomics.load(this.shared, 0)
  }

  advance(): void {
    Atomics.add(this.shared, 0, 1)
  }
}
