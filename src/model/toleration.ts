import type { Node, Taint } from './node.ts'
import type { Toleration } from './service.ts'

/**
 * Whether a taint keeps nothing away that has these tolerations. An absent key, effect or operator is Kubernetes'
 * own default: any key, any effect, `equal`.
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
export const isTolerated = (taint: Taint, tolerations: readonly Toleration[]): boolean =>
  tolerations.some((toleration) => {
    if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false
    if (toleration.key !== undefined && toleration.key !== taint.key) return false
    return toleration.operator === 'exists' || (toleration.value ?? '') === (taint.value ?? '')
  })

/** No taint of the node with one of these effects is left untolerated. */
export const toleratesNode = (
  node: Node,
  tolerations: readonly Toleration[],
  effects: readonly Taint['effect'][],
): boolean =>
  (node.spec.taints ?? []).every(
    (taint) => !effects.includes(taint.effect) || isTolerated(taint, tolerations),
  )
