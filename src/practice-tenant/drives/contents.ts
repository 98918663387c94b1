import type Database from 'better-sqlite3'
import { corpusDocument, type Document } from './document-variants.ts'
import { QuickXorHash } from './quick-xor-hash.ts'

/** Where the bytes of a file are: `corpus/12/3` (document 12, variant 3) or `stored/7`. */
export type ContentRef = string & { readonly __contentRef: unique symbol }

export const corpusContent = (document: number, variant: number): ContentRef =>
  `corpus/${document}/${variant}` as ContentRef
const storedContent = (id: number | bigint): ContentRef => `stored/${id}` as ContentRef

export interface Content {
  readonly sizeBytes: number
  /** Base64 quickXorHash. */
  hash(): string
  /** The bytes from `start` up to but without `end`, in pieces. Holds one piece in memory. */
  read(start: number, end: number): Generator<Uint8Array>
}

const PIECE_BYTES = 1 << 20

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS drive_contents (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, hash TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS drive_content_pieces (
    content INTEGER NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (content, at)
  );
`

function* readPieces(document: Document, start: number, end: number): Generator<Uint8Array> {
  let at = 0
  for (const piece of document.pieces) {
    const from = Math.max(0, start - at)
    const to = Math.min(piece.length, end - at)
    for (let cut = from; cut < to; cut += PIECE_BYTES)
      yield piece.subarray(cut, Math.min(to, cut + PIECE_BYTES))
    at += piece.length
  }
}

/** The bytes of all files of the tenant. What is uploaded is kept in pieces, so a large file needs no memory. */
export class Contents {
  readonly #db: Database.Database
  constructor(db: Database.Database) {
    db.exec(SCHEMA)
    this.#db = db
  }

  open(ref: ContentRef): Content {
    const [kind, first, second] = ref.split('/')
    if (kind === 'corpus') {
      const document = corpusDocument(Number(first), Number(second))
      return {
        sizeBytes: document.sizeBytes,
        hash: () => document.hash(),
        read: (start, end) => readPieces(document, start, end),
      }
    }
    return this.#openStored(Number(first))
  }

  store(bytes: Uint8Array): ContentRef {
    const writer = this.begin()
    this.append(writer, 0, bytes)
    return this.finish(writer)
  }

  /** Begins a content that is written in order by `append` and named by `finish`. */
  begin(): number {
    return Number(
      this.#db.prepare(`INSERT INTO drive_contents (size, hash) VALUES (0, '')`).run().lastInsertRowid,
    )
  }

  append(id: number, at: number, bytes: Uint8Array): void {
    const insert = this.#db.prepare('INSERT INTO drive_content_pieces (content, at, bytes) VALUES (?, ?, ?)')
    for (let cut = 0; cut < bytes.length; cut += PIECE_BYTES) {
      insert.run(id, at + cut, bytes.subarray(cut, cut + PIECE_BYTES))
    }
  }

  finish(id: number): ContentRef {
    const hash = new QuickXorHash()
    let size = 0
    for (const piece of this.#pieces(id, 0, Number.MAX_SAFE_INTEGER)) {
      hash.update(piece)
      size += piece.length
    }
    this.#db.prepare('UPDATE drive_contents SET size = ?, hash = ? WHERE id = ?').run(size, hash.digest(), id)
    return storedContent(id)
  }

  /** Forgets a content that no file refers to any more; those of the corpus stay. */
  drop(ref: ContentRef | number): void {
    const id = typeof ref === 'number' ? ref : Number(/^stored\/(\d+)$/.exec(ref)?.[1] ?? Number.NaN)
    if (Number.isNaN(id)) return
    this.#db.prepare('DELETE FROM drive_content_pieces WHERE content = ?').run(id)
    this.#db.prepare('DELETE FROM drive_contents WHERE id = ?').run(id)
  }

  #openStored(id: number): Content {
    const row = this.#db.prepare('SELECT size, hash FROM drive_contents WHERE id = ?').get(id) as {
      size: number
      hash: string
    }
    return {
      sizeBytes: row.size,
      hash: () => row.hash,
      read: (start, end) => this.#pieces(id, start, end),
    }
  }

  *#pieces(id: number, start: number, end: number): Generator<Uint8Array> {
    const next = this.#db.prepare(
      'SELECT at, bytes FROM drive_content_pieces WHERE content = ? AND at <= ? ORDER BY at DESC LIMIT 1',
    )
    let at = start
    while (at < end) {
      const row = next.get(id, at) as { at: number; bytes: Buffer } | undefined
      if (row === undefined || row.at + row.bytes.length <= at) return
      const piece = row.bytes.subarray(at - row.at, Math.min(row.bytes.length, end - row.at))
      at += piece.length
      yield piece
    }
  }
}
