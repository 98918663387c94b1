import { SingleBar } from 'cli-progress'
import { sizeText } from './output.ts'

export interface ProgressStatistics {
  readonly processingRateItemsPS?: number
  readonly readRateBytesPS?: number
  readonly transferredDataBytes?: number
  readonly processedObjects?: number
}

export interface ProgressBar {
  /** Percent. */
  update(percent: number, statistics?: ProgressStatistics): void
  stop(): void
}

const silent: ProgressBar = { update: () => {}, stop: () => {} }

/** A live bar on a terminal, a line now and then elsewhere; nothing without a stream. */
export const progressBar = (stream: NodeJS.WriteStream | undefined, title: string): ProgressBar => {
  if (stream === undefined) return silent
  const bar = new SingleBar({
    format: `${title} [{bar}] {percentage}% | {objects} objects | {items}/s | {bytes}`,
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
    stream,
  })
  bar.start(100, 0, { objects: 0, items: 0, bytes: '0 B' })
  return {
    update: (percent, statistics) => {
      bar.update(Math.min(100, percent), {
        objects: statistics?.processedObjects ?? 0,
        items: Math.round(statistics?.processingRateItemsPS ?? 0),
        bytes: sizeText(statistics?.transferredDataBytes ?? 0),
      })
    },
    stop: () => {
      bar.stop()
    },
  }
}
