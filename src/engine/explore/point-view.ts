import { notFound } from '#base'
import type { Repository } from '#repository'
import type { Catalogue, ObjectAtPoint } from '../catalogue/catalogue.ts'

/** An object of a restore point, and where to read it. */
export interface LocatedObject extends ObjectAtPoint {
  readonly repositoryId: string
  readonly catalogue: Catalogue
  readonly repository: Repository
}

/** A shard that may hold restore points. */
export interface Shard {
  readonly repositoryId: string
  readonly catalogue: Catalogue
  readonly repository: Repository
}

export interface PointChoice {
  /** Points after it are not looked at. */
  readonly at: Date
  /** Restore points of this job alone. */
  readonly jobId?: string
}

/** What an organization's restore points hold at one moment: each object at its newest point not after it. */
export class PointView {
  readonly objects: ReadonlyMap<string, LocatedObject>

  private constructor(objects: ReadonlyMap<string, LocatedObject>) {
    this.objects = objects
  }

  static async load(shards: readonly Shard[], choice: PointChoice, signal?: AbortSignal): Promise<PointView> {
    const newest = new Map<string, LocatedObject>()
    for (const shard of shards) {
      await shard.repository.refresh()
      await shard.catalogue.sync(signal)
      for (const object of objectsOf(shard, choice)) {
        const known = newest.get(object.key)
        if (known === undefined || known.time < object.time) newest.set(object.key, object)
      }
    }
    return new PointView(newest)
  }

  /** Mailboxes or drives, in order of their names. */
  ofKind(kind: ObjectAtPoint['kind']): LocatedObject[] {
    return [...this.objects.values()]
      .filter((object) => object.kind === kind)
      .sort((a, b) => a.displayName.localeCompare(b.displayName) || (a.userId < b.userId ? -1 : 1))
  }

  /** By the user's id, in any letter case, or the principal name. Its rows and folders can be asked for from then on. */
  async open(kind: ObjectAtPoint['kind'], id: string, signal?: AbortSignal): Promise<LocatedObject> {
    const wanted = id.toLowerCase()
    const found = this.ofKind(kind).find(
      (object) => object.userId.toLowerCase() === wanted || object.principalName.toLowerCase() === wanted,
    )
    if (found === undefined)
      throw notFound(
        kind === 'mail'
          ? 'there is no such mailbox at this restore point'
          : 'there is no such OneDrive at this restore point',
      )
    await found.catalogue.load(found.key, signal)
    return found
  }
}

const objectsOf = (shard: Shard, choice: PointChoice): LocatedObject[] =>
  shard.catalogue.objectsAt(choice).map((object) => ({ ...object, ...shard }))
