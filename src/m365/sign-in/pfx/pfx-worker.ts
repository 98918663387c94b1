import { parentPort, workerData } from 'node:worker_threads'
import { isHoldfastError } from '#base'
import { openPfx } from './open-pfx.ts'
import type { PfxAnswer, PfxQuestion } from './read-pfx.ts'

const { bytes, password } = workerData as PfxQuestion

function answer(): PfxAnswer {
  try {
    return openPfx(bytes, password)
  } catch (error) {
    if (isHoldfastError(error)) return { refusal: error.message }
    return { refusal: 'the certificate is not a readable PFX file' }
  }
}

parentPort?.postMessage('ready')
parentPort?.postMessage(answer())
