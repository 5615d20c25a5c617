import {
  containsAddress,
  firstOf,
  formatAddress,
  parseAddress,
  parseNetwork,
  sizeOf,
} from '#model/address.ts'
import type { IpNetwork } from '#model/address.ts'
import type { IpamRange } from '#model/network.ts'

/**
 * The addresses of one subnet. They are given out in turn, so that one that was given back is the last to be used
 * again: what still remembers it has time to forget.
 */
export class AddressPool {
  readonly #subnet: IpNetwork
  readonly #first: bigint
  readonly #last: bigint
  readonly #taken = new Set<bigint>()
  #next: bigint

  /** Undefined where the range is none. */
  static of(range: IpamRange): AddressPool | undefined {
    const subnet = parseNetwork(range.subnet)
    const part = range.range === undefined || range.range === '' ? subnet : parseNetwork(range.range)
    return subnet === undefined || part === undefined ? undefined : new AddressPool(subnet, part, range)
  }

  private constructor(subnet: IpNetwork, part: IpNetwork, range: IpamRange) {
    this.#subnet = subnet
    this.#first = firstOf(part)
    this.#last = this.#first + sizeOf(part) - 1n
    this.#next = this.#first
    this.#taken.add(firstOf(subnet))
    if (subnet.base.bits === 32) this.#taken.add(firstOf(subnet) + sizeOf(subnet) - 1n)
    for (const text of [range.gateway ?? '', ...Object.values(range.auxiliary ?? {})]) this.reserve(text)
  }

  /** A free address in CIDR notation; undefined: there is none. */
  take(): string | undefined {
    const size = this.#last - this.#first + 1n
    if (BigInt(this.#taken.size) >= size + 2n) return undefined
    for (let tried = 0n; tried < size; tried++) {
      const value = this.#next
      this.#next = value === this.#last ? this.#first : value + 1n
      if (this.#taken.has(value)) continue
      this.#taken.add(value)
      return `${formatAddress({ bits: this.#subnet.base.bits, value })}/${String(this.#subnet.prefix)}`
    }
    return undefined
  }

  has(text: string): boolean {
    return containsAddress(this.#subnet, text)
  }

  /** This address and no other, in CIDR notation; undefined: it is taken. */
  claim(text: string): string | undefined {
    const address = parseAddress(text)
    if (address === undefined || this.#taken.has(address.value)) return undefined
    this.#taken.add(address.value)
    return `${formatAddress(address)}/${String(this.#subnet.prefix)}`
  }

  /** With or without a prefix length. An address of another network is no matter. */
  reserve(text: string): void {
    const address = parseAddress(text.split('/')[0] ?? '')
    if (address?.bits === this.#subnet.base.bits) this.#taken.add(address.value)
  }

  release(text: string): void {
    const address = parseAddress(text.split('/')[0] ?? '')
    if (address?.bits === this.#subnet.base.bits) this.#taken.delete(address.value)
  }
}
