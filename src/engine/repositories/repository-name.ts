import { conflict, type HoldfastError } from '#base'
import { isDuplicate } from '#database'

/** Names that agree in it are one. */
export const nameKeyOf = (name: string): string => name.normalize('NFC').toLowerCase()

/** `conflict` for what the database refuses since it is there already. */
export const named = (error: unknown, name: string): HoldfastError | unknown =>
  isDuplicate(error) ? conflict(`the name ${name} or the path is in use`) : error
