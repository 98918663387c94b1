import { corrupt } from '#base'
import type { BlobId, TreeEntry } from '../contract.ts'
import { goJsonString } from './go-json.ts'
import { decodeTree } from './tree.ts'

// Trees that somebody else wrote hold more than Holdfast understands: links, devices, owners, modes, extended attributes.
// A tree that is written again keeps the text of every node that did not change, so that nothing of it is lost.

/** A node with its text, byte for byte as it is stored. */
export interface StoredNode {
  readonly name: string
  readonly text: string
  /** Absent for what Holdfast does not keep itself, such as links. */
  readonly entry?: TreeEntry
}

/** Every node of a tree in its order. Throws `corrupt`. */
export const storedNodes = (tree: Uint8Array): readonly StoredNode[] => {
  const nodes = decodeTree(tree)
  const json = Buffer.from(tree.buffer, tree.byteOffset, tree.byteLength).toString('utf8')
  const texts = plainNodeTexts(json, nodes.length) ?? nodeTexts(json)
  if (texts.length !== nodes.length) throw corrupt('the nodes of a tree cannot be told apart')
  return nodes.map((node, at) => ({ ...node, text: texts[at]! }))
}

/** The text of a folder's node with another folder below. A quote inside of a name is escaped, so the key is found once. */
export const withSubtree = (text: string, from: BlobId, to: BlobId): string =>
  text.replace(`"subtree":"${from}"`, `"subtree":"${to}"`)

/** The text of a node under another name, which has to be a plain one. Throws `corrupt` when it does not begin with its name. */
export const withName = (text: string, name: string): string => {
  const found = /^\{"name":"(?:[^"\\]|\\.)*"/.exec(text)
  if (found === null) throw corrupt('a tree node does not begin with its name')
  return `{"name":${goJsonString(name)}${text.slice(found[0].length)}`
}

const HEAD = '{"nodes":[{"name":'
const BETWEEN = '},{"name":'

/**
 * The same as `nodeTexts` without a look at every character, for trees whose nodes hold no lists of objects; undefined for
 * others. A quote inside of a string is escaped, so what stands between two nodes stands nowhere else.
 */
const plainNodeTexts = (json: string, count: number): string[] | undefined => {
  if (!json.startsWith(HEAD) || !json.endsWith('}]}\n') || json.includes('[{', HEAD.length)) return undefined
  const pieces = json.slice(HEAD.length, -'}]}\n'.length).split(BETWEEN)
  return pieces.length === count ? pieces.map((piece) => `{"name":${piece}}`) : undefined
}

/** The objects of the first list in a JSON text. */
const nodeTexts = (json: string): string[] => {
  const texts: string[] = []
  const first = json.indexOf('[')
  let depth = 0
  let start = 0
  for (let at = first + 1; at > 0 && at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') at = endOfString(json, at)
    else if (character === '{') {
      if (depth === 0) start = at
      depth += 1
    } else if (character === '}') {
      depth -= 1
      if (depth === 0) texts.push(json.slice(start, at + 1))
    } else if (character === ']' && depth === 0) return texts
  }
  return texts
}

/** Where the string that begins at a quote ends. */
const endOfString = (json: string, start: number): number => {
  for (let at = start + 1; at < json.length; at += 1) {
    if (json[at] === '\\') at += 1
    else if (json[at] === '"') return at
  }
  return json.length
}
