import { styleText } from 'node:util'

const BAR = 30

/** What the demo shows. With `--json` it goes to standard error, so that standard output holds the summary alone. */
export class Screen {
  readonly #out: NodeJS.WriteStream
  #hasBar = false

  constructor(isJson: boolean) {
    this.#out = isJson ? process.stderr : process.stdout
  }

  chapter(title: string): void {
    this.#write(`\n${this.#style('bold', title)}`)
  }

  line(text: string): void {
    this.#write(`  ${text}`)
  }

  done(text: string): void {
    this.#write(`  ${this.#style('green', '✓')} ${text}`)
  }

  check(isGood: boolean, text: string): void {
    if (isGood) this.done(text)
    else this.#write(`  ${this.#style('red', '✗')} NOT TRUE: ${text}`)
  }

  /** A live bar on a terminal; nothing elsewhere. */
  progress(title: string, percent: number, itemsPerSecond: number): void {
    if (!this.#out.isTTY) return
    const filled = Math.round((BAR * Math.min(100, percent)) / 100)
    const bar = '█'.repeat(filled).padEnd(BAR, '░')
    this.#out.write(
      `\r  ${title} ${bar} ${String(percent).padStart(3)}% ${Math.round(itemsPerSecond)} items/s  `,
    )
    this.#hasBar = true
  }

  verdict(isGood: boolean): void {
    this.#write('')
    this.#write(
      isGood
        ? this.#style('green', 'All of it is back.')
        : this.#style('red', 'Something is not as it should be.'),
    )
  }

  #write(text: string): void {
    if (this.#hasBar) this.#out.write('\r\x1b[K')
    this.#hasBar = false
    this.#out.write(`${text}\n`)
  }

  #style(format: 'bold' | 'green' | 'red', text: string): string {
    return this.#out.isTTY ? styleText(format, text) : text
  }
}
