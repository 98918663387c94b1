/** A bucket of S3 or a container of Azure. */
export interface CloudContainer {
  readonly name: string
  /** Where the service tells: `eu-central-1`. */
  readonly region?: string
}

/**
 * What an account of object storage shows to somebody who chooses a place for a repository. Errors: `denied` for
 * credentials that are not accepted or may not do this, `not-found`, `conflict`, `unavailable`.
 */
export interface CloudAccount extends AsyncDisposable {
  /** Buckets or containers, by name. */
  containers(signal?: AbortSignal): Promise<readonly CloudContainer[]>
  /** One of them; `not-found` where there is none of the name or the account may not look. */
  container(name: string, signal?: AbortSignal): Promise<CloudContainer>
  /** Names of the folders at a container's root: what stands before the first `/`, by name. */
  folders(container: string, signal?: AbortSignal): Promise<readonly string[]>
  /** Makes an empty folder that `folders` lists. One that is there already is no error. */
  makeFolder(container: string, name: string, signal?: AbortSignal): Promise<void>
}
