import { join } from 'node:path'

export const memberDataDir = (dataDir: string): string => join(dataDir, 'etcd')
