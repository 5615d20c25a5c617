import { storeContract } from '../contract-suite.ts'
import { MemoryStore } from './store.ts'

storeContract('memory', async () => ({
  store: new MemoryStore(),
  async [Symbol.asyncDispose]() {
    // Nothing is held.
  },
}))
