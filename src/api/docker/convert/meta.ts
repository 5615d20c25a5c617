import type { Meta } from '#model/meta.ts'
import { timestamp } from './fields.ts'

/** The head of every swarm object in Docker's dialect. */
export const metaFromModel = (meta: Meta): object => ({
  ID: meta.id,
  Version: { Index: meta.version },
  CreatedAt: timestamp(meta.createdAt),
  UpdatedAt: timestamp(meta.updatedAt),
})
