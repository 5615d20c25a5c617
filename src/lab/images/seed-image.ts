/** An image that needs no hub: files of this machine's Debian packages, and how to run them. */
export interface SeedImage {
  readonly name: string
  readonly tag: string
  /** The machine's files that go in: when one of them changes, the image is made anew. */
  readonly sources: readonly string[]
  /** What a container does with it, in the words of the image specification. */
  readonly config: {
    readonly Cmd: readonly string[]
    readonly Entrypoint?: readonly string[]
    readonly Env: readonly string[]
    readonly ExposedPorts?: Readonly<Record<string, object>>
    readonly StopSignal?: string
    readonly Volumes?: Readonly<Record<string, object>>
  }
  /** Puts the image's files below an empty folder. */
  fill(root: string): Promise<void>
}
