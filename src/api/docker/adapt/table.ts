import { AdaptorTable } from './adaptor.ts'
import { containerAdaptors } from './containers.ts'
import { imageAdaptors } from './images.ts'
import { networkAdaptors } from './networks.ts'
import { stopAdaptors } from './stop.ts'
import { systemAdaptors } from './system.ts'
import { volumeAdaptors } from './volumes.ts'

/**
 * Every change of the API after 1.41 that would change the meaning of a client's call or answer.
 * @see https://docs.docker.com/reference/api/engine/version-history/
 */
export const adaptors = new AdaptorTable([
  ...containerAdaptors,
  ...stopAdaptors,
  ...volumeAdaptors,
  ...imageAdaptors,
  ...systemAdaptors,
  ...networkAdaptors,
])
