import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import type { CronSpec } from '#model/cron/labels.ts'
import type { CronRun, CronStatus, Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import type { Environment, Verdict } from '../../verdict.ts'
import { runGlobal, runReplicated, workloadOf } from '../jobs.ts'
import { Plan } from '../plan.ts'
import { isRemovable } from '../reaper.ts'
import { hasEnded, isWanted } from '../service-view.ts'
import type { ServiceView } from '../service-view.ts'
import { dueOf } from './due.ts'

/** A clock that is set forward is noticed within this, though no timer was set for it. */
const lookAgainMs = 60_000

/**
 * Runs a service by the clock: each run is a job of its own, whose tasks carry its number. What is known of the past is
 * in the service's status, so that another leader neither repeats a run nor leaves one out.
 */
export function reconcileCron(
  view: ServiceView,
  service: Service,
  spec: CronSpec,
  env: Environment,
): Verdict {
  const plan = new Plan(view, service, env)
  const before = statusOf(service, spec, env.now)
  const tasks = tasksByRun(view.tasks)
  const started = startDue(before, spec, plan)
  const runs = started.runs.map((run) => (run.state === 'running' ? step(plan, run, tasks) : run))
  const kept = keptRuns(runs, spec)
  const status: CronStatus = { ...started, runs: kept }
  for (const run of kept)
    if (run.state === 'replaced')
      for (const task of tasks.get(run.iteration) ?? [])
        if (isWanted(task) && !hasEnded(task)) plan.desire(task, 'shutdown', 'another run took its place')
  const keptNumbers = new Set<number | undefined>(kept.map((run) => run.iteration))
  for (const [iteration, ofRun] of tasks) if (!keptNumbers.has(iteration)) clear(plan, ofRun)
  if (JSON.stringify(status) !== JSON.stringify(service.status.cron))
    plan.change({ ...service, status: { ...service.status, cron: status, ...jobOf(service, status) } })
  return plan.verdict()
}

/** Under another schedule, or after a pause, what is past is past. */
function statusOf(service: Service, { schedule, zone, isPaused }: CronSpec, now: Instant): CronStatus {
  const rule = `${schedule} ${zone}${isPaused ? ' paused' : ''}`
  const known = service.status.cron
  if (known?.rule === rule) return known
  return { runs: [], ...known, rule, evaluatedUntil: now }
}

function tasksByRun(tasks: readonly Task[]): Map<number | undefined, Task[]> {
  const runs = new Map<number | undefined, Task[]>()
  for (const task of tasks) {
    const group = runs.get(task.jobIteration)
    if (group === undefined) runs.set(task.jobIteration, [task])
    else group.push(task)
  }
  return runs
}

/** Begins the run whose time has come, or that a person asked for, as the policy on concurrent runs allows. */
function startDue(status: CronStatus, spec: CronSpec, plan: Plan): CronStatus {
  const { now } = plan
  const { requested, ...rest } = status
  const due =
    spec.isPaused || plan.env.schedulesRest === true
      ? { evaluatedUntil: status.evaluatedUntil }
      : dueOf(spec, status.evaluatedUntil, now)
  if (due.next !== undefined) plan.wake(instant(Math.min(due.next, now + lookAgainMs)))
  const isSetBack = due.evaluatedUntil < status.evaluatedUntil
  // What is not due need not be noted: the next look finds the same.
  const evaluatedUntil = due.at !== undefined || isSetBack ? due.evaluatedUntil : status.evaluatedUntil
  const settled: CronStatus = { ...rest, evaluatedUntil }
  if (requested === undefined && due.at === undefined) return settled
  const active = status.runs.filter((run) => run.state === 'running')
  if (active.length > 0 && spec.concurrency === 'forbid') return settled
  const runs = status.runs.map((run): CronRun =>
    run.state === 'running' && spec.concurrency === 'replace'
      ? { ...run, state: 'replaced', endedAt: now }
      : run,
  )
  const last = Math.max(plan.service.status.job?.iteration ?? 0, ...runs.map((run) => run.iteration))
  const run: CronRun = {
    iteration: last + 1,
    ...(due.at === undefined ? {} : { scheduledAt: due.at }),
    startedAt: now,
    state: 'running',
  }
  return { ...settled, runs: [...runs, run] }
}

function step(plan: Plan, run: CronRun, tasks: ReadonlyMap<number | undefined, Task[]>): CronRun {
  const { iteration } = run
  const own = tasks.get(iteration) ?? []
  const isGlobal = plan.service.spec.mode.type.startsWith('global')
  const state = isGlobal
    ? runGlobal(plan, own, iteration)
    : runReplicated(plan, own, workloadOf(plan.service), iteration)
  return state === 'running' ? run : { ...run, state, endedAt: plan.now }
}

/** All that go on, and of the others the newest few of each kind. */
function keptRuns(runs: readonly CronRun[], { keepComplete, keepFailed }: CronSpec): CronRun[] {
  const left = { complete: keepComplete, failed: keepFailed, replaced: keepFailed }
  return runs
    .toReversed()
    .filter((run) => {
      if (run.state === 'running') return true
      left[run.state] -= 1
      return left[run.state] >= 0
    })
    .reverse()
}

/** Of a run that is forgotten, or of a time without a schedule. */
function clear(plan: Plan, tasks: readonly Task[]): void {
  for (const task of tasks) {
    plan.desire(task, 'remove', 'its run is history')
    if (isRemovable(task)) plan.drop(task)
  }
}

/** Docker's view of a job is the newest run. */
function jobOf(service: Service, { runs }: CronStatus): Pick<Service['status'], 'job'> {
  const newest = runs.at(-1)
  if (newest === undefined || !service.spec.mode.type.endsWith('-job')) return {}
  return { job: { iteration: newest.iteration, lastExecutionAt: newest.startedAt } }
}
