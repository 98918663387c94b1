import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localStorage, readOnly } from '#storage'
import type { BlobId, Repository, TreeEntry } from '../contract.ts'
import { sha256Hex } from '../format/ids.ts'
import { openConfig } from '../format/config.ts'
import { openDocument } from '../format/document.ts'
import { isPlainName } from '../format/go-quote.ts'
import { decodeTree, encodeTree } from '../format/tree.ts'
import { openKeyFile } from '../format/key-file.ts'
import { locateHeader, openHeader } from '../format/pack-header.ts'
import { authenticate, type KeySet, oneTimeKeys, open, seal } from '../format/sealing.ts'
import { openRepository } from '../repository.ts'
import {
  collect,
  readVectors,
  SAMPLE_PASSWORD,
  TEST_OPTIONS,
  unpackSample,
  type Vectors,
} from './fixtures.ts'

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const base64 = (text: string): Buffer => Buffer.from(text, 'base64')

describe('a repository that stock restic made', () => {
  let sample: Awaited<ReturnType<typeof unpackSample>>
  let vectors: Vectors
  let key: KeySet
  let repository: Repository

  beforeAll(async () => {
    sample = await unpackSample()
    vectors = await readVectors(sample.path)
    const file = vectors.keys.find(({ password }) => password === SAMPLE_PASSWORD)!
    // Deriving a key costs much: one test does it, the others take what it must give.
    const { encrypt, mac } = file.data_plaintext_json
    key = { encrypt: base64(encrypt), macK: base64(mac.k), macR: base64(mac.r) }
    const storage = readOnly(localStorage(sample.repo))
    repository = await openRepository(storage, { ...TEST_OPTIONS, password: SAMPLE_PASSWORD })
  })
  afterAll(async () => {
    await repository[Symbol.asyncDispose]()
    await sample[Symbol.asyncDispose]()
  })

  it('gives the master key for each of its passwords, and for no other', async () => {
    for (const { file, password, data_plaintext_json: data } of vectors.keys) {
      const bytes = await readFile(join(sample.repo, file))
      const opened = await openKeyFile(bytes, password)
      expect(Buffer.from(opened!.encrypt).toString('base64')).toBe(data.encrypt)
      expect(Buffer.from(opened!.macK).toString('base64')).toBe(data.mac.k)
      expect(Buffer.from(opened!.macR).toString('base64')).toBe(data.mac.r)
    }
    const { file } = vectors.keys[0]!
    expect(await openKeyFile(await readFile(join(sample.repo, file)), 'another')).toBeUndefined()
  })

  it.each(['poly1305_aes', 'poly1305_aes_with_unmasked_r'] as const)('agrees on every step of %s', (name) => {
    const vector = vectors[name]
    const r = hex(vector['r_hex'] ?? vector['r_as_derived_hex']!)
    const keys = { encrypt: hex(vector['aes256_key_hex']!), macK: hex(vector['k_hex']!), macR: r }
    const iv = hex(vector['iv_hex']!)
    const text = hex(vector['ciphertext_hex']!)
    const oneTime = oneTimeKeys(keys, iv)
    expect(Buffer.from(oneTime.subarray(16)).toString('hex')).toBe(vector['aes128_k_of_iv_hex'])
    const sealed = Buffer.concat([iv, text, hex(vector['mac_hex']!)])
    expect(Buffer.from(authenticate(text, oneTime)).toString('hex')).toBe(vector['mac_hex'])
    expect(Buffer.from(seal(keys, open(keys, sealed), iv)).equals(sealed)).toBe(true)
  })

  it('opens the config, the documents and a lock to the very text', async () => {
    const config = openConfig(key, await readFile(join(sample.repo, 'config')))
    expect(config.chunkerPolynomial).toBe('341efc11a7e6a9')
    expect(repository.id).toBe(config.id)
    for (const { file, json_text: text } of vectors.unpacked) {
      expect(openDocument(key, await readFile(join(sample.repo, file)))).toEqual(JSON.parse(text))
    }
    const lock = await readFile(join(sample.path, vectors.lock.file))
    expect(openDocument(key, lock)).toEqual(JSON.parse(vectors.lock.json_text))
  })

  it('has the pack headers and the blobs that were found in it', async () => {
    for (const { file, size, blobs } of vectors.packs) {
      const bytes = await readFile(join(sample.repo, file))
      const header = locateHeader(size, bytes.subarray(-650))
      const found = openHeader(
        key,
        bytes.subarray(header.offset, header.offset + header.length),
        header.offset,
      )
      expect(found).toEqual(
        blobs.map((blob) => ({
          id: blob.id,
          type: blob.type_byte % 2 === 1 ? 'tree' : 'data',
          offset: blob.offset,
          length: blob.length,
          uncompressed: blob.uncompressed_length ?? 0,
        })),
      )
      for (const { id, type } of found) {
        const plain = await repository.readBlob(type, id)
        expect(sha256Hex(plain)).toBe(id)
        const text = blobs.find((blob) => blob.id === id)?.text
        if (text !== undefined) expect(Buffer.from(plain).toString()).toBe(text)
      }
    }
  })

  it('restores to the bytes of the source', async () => {
    const latest = (await repository.snapshots()).at(-1)!
    expect(latest.tags).toEqual(['job:daily', 'second'])
    const restored = new Map<string, Buffer>()
    const restore = async (tree: BlobId, path: string): Promise<void> => {
      for (const entry of await repository.tree(tree)) {
        if (entry.type === 'folder') await restore(entry.subtree, `${path}/${entry.name}`)
        else restored.set(`${path}/${entry.name}`, await collect(repository.readFile(entry)))
      }
    }
    await restore(latest.tree, '')
    const sources = await sourceFiles(sample.src)
    expect(sources.size).toBeGreaterThan(7)
    expect([...restored.keys()].sort()).toEqual([...sources.keys()].sort())
    for (const [path, bytes] of sources) expect(restored.get(path)!.equals(bytes)).toBe(true)
  })

  it('reads any range of a file of several chunks', async () => {
    const latest = (await repository.snapshots()).at(-1)!
    const path = 'contoso/users/alice@contoso.example/onedrive/report.csv'
    const entry = (await repository.entryAt(latest.tree, path)) as Extract<TreeEntry, { type: 'file' }>
    const whole = await readFile(join(sample.src, path))
    for (const [offset, length] of [
      [0, 10],
      [1175720, 30],
      [2098880, 999],
      [700000, 0],
      [3_000_000, 5],
    ] as const) {
      const part = await collect(repository.readFile(entry, { offset, length }))
      expect(part.equals(whole.subarray(offset, offset + length))).toBe(true)
    }
  })

  it('passes the check with all data read, on a storage that cannot be written', async () => {
    const report = repository.check({ readData: true })
    // The check takes a lock, as stock restic does.
    await expect(report).rejects.toMatchObject({ code: 'denied' })
    await using writable = localStorage(sample.repo)
    await using own = await openRepository(writable, { ...TEST_OPTIONS, password: SAMPLE_PASSWORD })
    expect(await own.check({ readData: true })).toEqual({ packs: 4, blobs: 22, snapshots: 2, problems: [] })
    expect(await readdir(join(sample.repo, 'locks')).catch(() => [])).toEqual([])
  })

  it('has trees that are written again to the same bytes, apart from owner, mode and links', async () => {
    const trees = vectors.packs.flatMap(({ blobs }) => blobs.filter(({ type_byte: type }) => type % 2 === 1))
    expect(trees).toHaveLength(14)
    let compared = 0
    for (const { id } of trees) {
      const text = Buffer.from(await repository.readBlob('tree', id as BlobId))
      const nodes = decodeTree(text)
      const entries = nodes.flatMap(({ entry }) =>
        entry?.type === 'file' || entry?.type === 'folder' ? [entry] : [],
      )
      // The sample's odd names and its link are read, and are not ours to write.
      if (entries.length < nodes.length || !entries.every(({ name }) => isPlainName(name))) continue
      expect(withoutOwner(encodeTree(entries).toString())).toBe(withoutOwner(text.toString()))
      compared += 1
    }
    expect(compared).toBeGreaterThan(7)
  })
})

/** What our trees hold constant and restic takes from the file system. */
const withoutOwner = (tree: string): string =>
  tree.replaceAll(
    /"mode":\d+|"atime":"[^"]*"|"ctime":"[^"]*"|"uid":\d+|"gid":\d+|"user":"[^"]*",|"group":"[^"]*",|"inode":\d+,|"device_id":\d+,|"links":\d+,/g,
    '',
  )

const sourceFiles = async (folder: string, path = ''): Promise<Map<string, Buffer>> => {
  const files = new Map<string, Buffer>()
  for (const entry of await readdir(join(folder, path), { withFileTypes: true, encoding: 'buffer' })) {
    const name = entry.name.toString('latin1')
    const isText = Buffer.from(entry.name.toString('utf8')).equals(entry.name)
    // The one name that is not UTF-8: its byte becomes a lone surrogate.
    const shown = isText ? entry.name.toString('utf8') : name.replace(/[\x80-\xff]/g, surrogateOf)
    const bytes = Buffer.concat([Buffer.from(`${join(folder, path)}/`), entry.name])
    if (entry.isDirectory()) {
      for (const [below, content] of await sourceFiles(folder, `${path}/${shown}`)) files.set(below, content)
    } else if (entry.isFile()) files.set(`${path}/${shown}`, await readFile(bytes))
  }
  return files
}

const surrogateOf = (byte: string): string => String.fromCharCode(0xdc00 + byte.charCodeAt(0))
