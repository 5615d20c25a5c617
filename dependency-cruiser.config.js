// The layer rule of docs/architecture.md, checked: a layer imports only what is named after it.
const layers = {
  lib: [],
  model: ['lib'],
  security: ['lib', 'model'],
  store: ['lib', 'model', 'security'],
  rpc: ['lib', 'model', 'security'],
  engine: ['lib', 'model'],
  manager: ['lib', 'model', 'security', 'store', 'rpc'],
  agent: ['lib', 'model', 'security', 'rpc', 'engine'],
  api: ['lib', 'model', 'security', 'rpc', 'engine', 'manager/control'],
  lab: ['lib'],
}
const unit = '\\.test\\.ts$|-suite\\.ts$|/testing/'

const layer = ([name, allowed]) => ({
  name: `layer-${name}`,
  comment: `src/${name} may import only itself${allowed.length > 0 ? ` and ${allowed.join(', ')}` : ''}`,
  severity: 'error',
  from: { path: `^src/${name}/`, pathNot: unit },
  to: { path: '^src/', pathNot: `^src/(${[name, ...allowed].join('|')})/` },
})

const pure =
  '^src/(model|manager/(orchestrator|scheduler|allocator)|agent/(network|ingress)/render|api/[^/]+/convert)/'

const rules = [
  ...Object.entries(layers).map(layer),
  {
    name: 'pure-means-pure',
    comment: 'Decisions are functions of their inputs: no Node built-ins in the pure folders',
    from: { path: pure, pathNot: unit },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'facades-are-strangers',
    from: { path: '^src/api/([^/]+)/' },
    to: { path: '^src/api/', pathNot: '^src/api/(($1|http)/|backend\.ts$)' },
  },
  {
    name: 'no-cycles',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  { name: 'resolvable', from: {}, to: { couldNotResolve: true } },
  {
    name: 'etcd-only-in-store',
    from: { pathNot: '^src/store/' },
    to: { path: 'node_modules/@grpc/' },
  },
  {
    name: 'x509-only-in-security',
    from: { pathNot: '^src/security/' },
    to: { path: 'node_modules/@peculiar/x509/' },
  },
  {
    name: 'production-needs-no-dev-dependency',
    from: { path: '^src/', pathNot: unit },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
  },
]

export default {
  forbidden: rules.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}
