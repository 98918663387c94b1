import { HoldfastError } from '#base'

/** Thrown where an answer shall not arrive whole: its connection is destroyed, as a network does. */
export class CutConnection extends HoldfastError {
  constructor(message = 'the connection was cut on demand') {
    super('unavailable', message)
  }
}
