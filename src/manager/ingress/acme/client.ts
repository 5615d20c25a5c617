import { MureError } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { AcmeChallenge } from '#model/ingress/configuration.ts'
import type { AcmeSettings } from '#model/ingress/settings.ts'
import type { AccountKey } from './account-key.ts'
import { askAuthority } from './https.ts'
import type { HttpsAnswer } from './https.ts'

interface Directory {
  readonly newNonce: string
  readonly newAccount: string
  readonly newOrder: string
}

interface Order {
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid'
  readonly authorizations: readonly string[]
  readonly finalize: string
  readonly certificate?: string
  readonly error?: AcmeProblem
}

interface Authorization {
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked'
  readonly challenges: readonly {
    readonly type: string
    readonly url: string
    readonly token: string
    readonly error?: AcmeProblem
  }[]
}

interface AcmeProblem {
  readonly type?: string
  readonly detail?: string
}

/** The other half of a certificate: its key stays here. */
export interface HostRequest {
  readonly csr: Buffer
  readonly key: string
}

const pollMs = 500
/** A nonce may be refused at any time; each refusal brings another. @see RFC 8555 section 6.5 */
const nonceAttempts = 8

/**
 * An account at a certificate authority.
 * @see RFC 8555, with the HTTP challenge of its section 8.3
 */
export class AcmeClient {
  readonly #settings: AcmeSettings
  readonly #key: AccountKey
  readonly #directory: Directory
  #account = ''
  #nonce: string | undefined

  /** The account is made if the authority does not know the key yet. */
  static async open(settings: AcmeSettings, key: AccountKey, wait: Wait): Promise<AcmeClient> {
    wait.note(`the directory of ${settings.directory}`)
    const { trust, directory, email } = settings
    const answer = await askAuthority('GET', directory, { trust, signal: wait.signal })
    if (answer.status !== 200) throw refusalOf(directory, answer)
    const client = new AcmeClient(settings, key, JSON.parse(answer.body) as Directory)
    const contact = email === undefined ? {} : { contact: [`mailto:${email}`] }
    const account = await client.#post(
      client.#directory.newAccount,
      { termsOfServiceAgreed: true, ...contact },
      wait,
    )
    client.#account = account.headers.location ?? ''
    return client
  }

  private constructor(settings: AcmeSettings, key: AccountKey, directory: Directory) {
    this.#settings = settings
    this.#key = key
    this.#directory = directory
  }

  /**
   * A certificate for this host, with its chain, PEM. `show` puts the answer to the authority's question where it will
   * look: http://HOST/.well-known/acme-challenge/TOKEN.
   */
  async certificate(
    host: string,
    request: HostRequest,
    show: (challenge: AcmeChallenge) => Promise<void>,
    wait: Wait,
  ): Promise<string> {
    wait.note(`an order for ${host}`)
    const made = await this.#post(
      this.#directory.newOrder,
      { identifiers: [{ type: 'dns', value: host }] },
      wait,
    )
    const url = made.headers.location ?? ''
    const order = JSON.parse(made.body) as Order
    for (const authorization of order.authorizations) await this.#prove(host, authorization, show, wait)
    wait.note(`the certificate of ${host}`)
    await this.#post(order.finalize, { csr: request.csr.toString('base64url') }, wait)
    const done = await this.#until<Order>(
      url,
      ({ status }) => status === 'valid' || status === 'invalid',
      wait,
    )
    if (done.status !== 'valid' || done.certificate === undefined)
      throw refusal(host, done.error?.detail ?? 'the order was refused')
    return (await this.#post(done.certificate, '', wait)).body
  }

  async #prove(
    host: string,
    url: string,
    show: (challenge: AcmeChallenge) => Promise<void>,
    wait: Wait,
  ): Promise<void> {
    const asked = await this.#get<Authorization>(url, wait)
    // An authority remembers what was proven a while ago.
    if (asked.status === 'valid') return
    const challenge = asked.challenges.find(({ type }) => type === 'http-01')
    if (challenge === undefined) throw refusal(host, 'the authority does not offer the HTTP challenge')
    const { token } = challenge
    await show({ token, answer: `${token}.${this.#key.thumbprint}` })
    wait.note(`the authority to ask ${host}`)
    await this.#post(challenge.url, {}, wait)
    const seen = await this.#until<Authorization>(url, ({ status }) => status !== 'pending', wait)
    if (seen.status === 'valid') return
    const why = seen.challenges.find(({ type }) => type === 'http-01')?.error?.detail
    throw refusal(host, why ?? `the authorization is ${seen.status}`)
  }

  async #until<T>(url: string, isEnd: (value: T) => boolean, wait: Wait): Promise<T> {
    for (;;) {
      const value = await this.#get<T>(url, wait)
      if (isEnd(value)) return value
      await sleep(pollMs, wait.signal)
    }
  }

  async #get<T>(url: string, wait: Wait): Promise<T> {
    return JSON.parse((await this.#post(url, '', wait)).body) as T
  }

  async #post(url: string, payload: object | '', wait: Wait): Promise<HttpsAnswer> {
    const { trust } = this.#settings
    for (let attempt = 1; ; attempt++) {
      wait.check()
      const nonce = this.#nonce ?? (await this.#freshNonce(wait))
      const who = this.#account === '' ? { jwk: this.#key.jwk } : { kid: this.#account }
      const body = this.#key.sign({ ...who, nonce, url }, payload)
      const answer = await askAuthority('POST', url, { body, trust, signal: wait.signal })
      this.#nonce = nonceOf(answer)
      if (answer.status >= 200 && answer.status < 300) return answer
      const isNonce = problemOf(answer).type === 'urn:ietf:params:acme:error:badNonce'
      if (!isNonce || attempt >= nonceAttempts) throw refusalOf(url, answer)
    }
  }

  async #freshNonce(wait: Wait): Promise<string> {
    const { trust } = this.#settings
    const answer = await askAuthority('HEAD', this.#directory.newNonce, { trust, signal: wait.signal })
    const nonce = nonceOf(answer)
    if (nonce === undefined) throw refusalOf(this.#directory.newNonce, answer)
    return nonce
  }
}

function nonceOf({ headers }: HttpsAnswer): string | undefined {
  const nonce = headers['replay-nonce']
  return typeof nonce === 'string' ? nonce : undefined
}

function problemOf({ body }: HttpsAnswer): AcmeProblem {
  try {
    return JSON.parse(body) as AcmeProblem
  } catch {
    return {}
  }
}

const refusalOf = (url: string, answer: HttpsAnswer): MureError =>
  new MureError(
    'unavailable',
    `${url} answers ${String(answer.status)}: ${problemOf(answer).detail ?? answer.body.slice(0, 200)}`,
  )

const refusal = (host: string, why: string): MureError =>
  new MureError('precondition', `no certificate for ${host}: ${why}`)
