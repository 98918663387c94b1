import { parentPort } from 'node:worker_threads'
import { messageOf } from '#base'
import type { Job } from './jobs.ts'
import { runJob, transferable } from './run-job.ts'

// One job at a time; the pool sends the next when this one is answered.
parentPort?.on('message', (job: Job) => {
  try {
    const result = runJob(job)
    parentPort?.postMessage({ result }, transferable(result))
  } catch (error) {
    parentPort?.postMessage({ failure: messageOf(error) })
  }
})
