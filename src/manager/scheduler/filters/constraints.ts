import { constraintTest, meetsConstraints, parseConstraint, parseConstraints } from '#model/constraint.ts'
import { onNodes } from './filter.ts'
import type { Filter } from './filter.ts'

export const constraints: Filter = {
  name: 'constraints',
  dependsOn: (task) => task.spec.placement?.constraints,
  prepare(task) {
    const texts = task.spec.placement?.constraints ?? []
    if (texts.length === 0) return undefined
    const parsed = parseConstraints(texts)
    // What does not parse is refused before it is stored; should it come all the same, no node meets it.
    if (parsed.length < texts.length) return () => false
    const meets = constraintTest(parsed)
    return (info) => meets(info.node)
  },
  detail({ node }, task) {
    const texts = task.spec.placement?.constraints ?? []
    return texts
      .filter((text) => {
        const parsed = parseConstraint(text)
        return 'refusal' in parsed || !meetsConstraints(node, [parsed])
      })
      .join(', ')
  },
  explain: (nodes) => `scheduling constraints not satisfied on ${onNodes(nodes)}`,
}
