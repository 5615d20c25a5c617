import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemCode } from '#lib/errors.ts'

const folder = join(import.meta.dirname, '..', '..', '..', '..', 'web')

/** What the page takes from npm, by the path that it asks for. */
const libraries: Readonly<Record<string, string>> = {
  '/lib/preact.mjs': 'preact',
  '/lib/preact-hooks.mjs': 'preact/hooks',
  '/lib/xterm.mjs': '@xterm/xterm/lib/xterm.mjs',
  '/lib/xterm-fit.mjs': '@xterm/addon-fit/lib/addon-fit.mjs',
  '/lib/xterm.css': '@xterm/xterm/css/xterm.css',
}

/** How the page's modules name those libraries. */
const importMap = JSON.stringify({
  imports: {
    preact: '/lib/preact.mjs',
    'preact/hooks': '/lib/preact-hooks.mjs',
    '@xterm/xterm': '/lib/xterm.mjs',
    '@xterm/addon-fit': '/lib/xterm-fit.mjs',
  },
})
export const importMapDigest = createHash('sha256').update(importMap).digest('base64')

const types: Readonly<Record<string, string>> = {
  ts: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  webmanifest: 'application/manifest+json',
}

export interface Asset {
  readonly type: string
  readonly body: Buffer
  readonly etag: string
}

/** The page's own files, types stripped, and the libraries that it uses. Read once; there is no build step. */
export class Assets {
  readonly #known = new Map<string, Promise<Asset | undefined>>()

  /** Undefined: there is no such file. */
  get(path: string): Promise<Asset | undefined> {
    const known = this.#known.get(path) ?? load(path)
    // A name that is none is not remembered, or anybody could fill the memory with them.
    const remembered = known.then((asset) => {
      if (asset === undefined) this.#known.delete(path)
      return asset
    })
    this.#known.set(path, remembered)
    remembered.catch(() => this.#known.delete(path))
    return remembered
  }

  /** `nonce`: for the style sheets that the terminal makes by itself. */
  async page(nonce: string): Promise<string> {
    const html = await readFile(join(folder, 'index.html'), 'utf8')
    const map = `<script type="importmap">${importMap}</script>`
    return html.replace('<!-- import-map -->', map).replace('{{style-nonce}}', nonce)
  }
}

async function load(path: string): Promise<Asset | undefined> {
  const library = libraries[path]
  // Flat names and folders of letters only: nothing that could lead out of the folder.
  const own = /^\/web\/((?:[a-z0-9-]+\/)*[a-z0-9-]+\.(?:ts|css|svg|webmanifest))$/.exec(path)?.[1]
  const file =
    library === undefined
      ? own === undefined || own.endsWith('.test.ts')
        ? undefined
        : join(folder, own)
      : fileURLToPath(import.meta.resolve(library))
  if (file === undefined) return undefined
  try {
    const source = await readFile(file)
    const body = file.endsWith('.ts') ? Buffer.from(stripTypeScriptTypes(source.toString())) : source
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    return { type: types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream', body, etag }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
