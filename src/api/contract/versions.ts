/** The versions of the REST contract that are served side by side, oldest first. */
export const VERSIONS = ['v4', 'v5', 'v6', 'v7', 'v8'] as const
export type Version = (typeof VERSIONS)[number]

export const NEWEST: Version = 'v8'

export const isVersion = (text: string): text is Version => (VERSIONS as readonly string[]).includes(text)

/** When something is part of the contract: `since <= version < until`. */
export interface Lifetime {
  readonly since?: Version
  readonly until?: Version
}

const rank = (version: Version): number => VERSIONS.indexOf(version)

export const isAlive = (version: Version, { since = 'v4', until }: Lifetime): boolean =>
  rank(version) >= rank(since) && (until === undefined || rank(version) < rank(until))

/** Every version is before `never`. */
export const isBefore = (version: Version, other: Version | 'never'): boolean =>
  other === 'never' || rank(version) < rank(other)

/** A value that changed over time: each entry holds from its version until the next entry. */
export type Changing<Value> = Partial<Readonly<Record<Version, Value>>>

/** The value that a version has, or undefined before the first entry. */
export const valueAt = <Value>(version: Version, changing: Changing<Value>): Value | undefined => {
  const known = VERSIONS.filter((candidate) => !isBefore(version, candidate) && candidate in changing)
  const latest = known.at(-1)
  return latest === undefined ? undefined : changing[latest]
}
