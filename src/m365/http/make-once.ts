import { isHoldfastError } from '#base'
import { UNCERTAIN } from './graph-client.ts'

const MAX_TRIES = 5

/** What a look after a lost answer can find: the thing, nothing, or no way to tell. */
export type Found<T> = { readonly made: T } | 'nothing' | 'unclear'

/** Makes something that must be there once: after a lost answer it looks before it tries again. */
export async function makeOnce<T>(make: () => Promise<T>, look: () => Promise<Found<T>>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await make()
    } catch (error) {
      if (!isHoldfastError(error) || error.reason !== UNCERTAIN) throw error
      const found = await look()
      if (typeof found === 'object') return found.made
      if (found === 'unclear' || tries === MAX_TRIES) throw error
    }
  }
}
