// Draws a column for each node and a tile for each task, and again whenever the cluster says that something happened.

const ask = async (path) => {
  const answer = await fetch(`api/${path}`)
  const body = await answer.json()
  if (!answer.ok) throw new Error(body.message)
  return body
}

const element = (tag, className, text = '') =>
  Object.assign(document.createElement(tag), { className, textContent: text })

/** The same service has the same colour everywhere. */
const hueOf = (name) => [...name].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 360, 7)

function tile(task, service, networks) {
  const name = service?.Spec.Name ?? task.ServiceID
  const tile = element('div', 'task', `${name}.${task.Slot ?? task.NodeID.slice(0, 5)}`)
  tile.style.setProperty('--hue', String(hueOf(name)))
  tile.append(element('span', 'image', task.Spec.ContainerSpec?.Image.split('@')[0] ?? ''))
  const where = (task.NetworksAttachments ?? []).map(({ Network }) => networks.get(Network.ID) ?? Network.ID)
  tile.append(element('span', 'state', [task.Status.State, ...where].join(' · ')))
  return tile
}

function column(node, tasks, services, networks) {
  const { Hostname, Resources } = node.Description
  const column = element('section', `node ${node.Status.State}`)
  column.append(element('h2', '', Hostname))
  const memory = `${(Resources.MemoryBytes / 2 ** 30).toFixed(1)} GiB`
  column.append(
    element('p', 'about', `${node.Spec.Role}, ${node.Status.State}, ${node.Spec.Availability}, ${memory}`),
  )
  const own = tasks.filter((task) => task.NodeID === node.ID)
  own.sort((a, b) => (a.ServiceID + String(a.Slot)).localeCompare(b.ServiceID + String(b.Slot)))
  for (const task of own) column.append(tile(task, services.get(task.ServiceID), networks))
  return column
}

async function draw() {
  const wanted = encodeURIComponent(JSON.stringify({ 'desired-state': ['running'] }))
  const [nodes, services, tasks, networks] = await Promise.all([
    ask('nodes'),
    ask('services'),
    ask(`tasks?filters=${wanted}`),
    ask('networks'),
  ])
  const servicesById = new Map(services.map((service) => [service.ID, service]))
  const networkNames = new Map(networks.map((network) => [network.Id, network.Name]))
  nodes.sort((a, b) => a.Description.Hostname.localeCompare(b.Description.Hostname))
  const columns = nodes.map((node) => column(node, tasks, servicesById, networkNames))
  document.querySelector('#nodes').replaceChildren(...columns)
  const ready = nodes.filter((node) => node.Status.State === 'ready').length
  document.querySelector('#status').textContent =
    `${ready} of ${nodes.length} nodes ready, ${services.length} services, ${tasks.length} tasks`
}

/** Reads what happens until the stream ends; only that something did is of interest. */
async function follow() {
  const events = (await fetch('api/events')).body.getReader()
  let pending = events.read()
  for (;;) {
    await draw()
    // Tasks change their states without an event: looked at each second besides.
    const next = await Promise.race([pending, new Promise((resolve) => setTimeout(resolve, 1_000))])
    if (next?.done) return
    if (next !== undefined) pending = events.read()
  }
}

for (;;) {
  try {
    await follow()
  } catch (error) {
    document.querySelector('#status').textContent = `The cluster does not answer: ${error.message}`
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000))
}
