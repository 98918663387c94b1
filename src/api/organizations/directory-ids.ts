// Ids of users and groups are two GUIDs run together on the wire: the directory's, and one that is zero in the cloud.

const NIL = '00000000-0000-0000-0000-000000000000'
const GUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const TWO_GUIDS = new RegExp(`^(${GUID})${GUID}$`, 'i')

export const toWireId = (directoryId: string): string => `${directoryId}${NIL}`

/** Takes the long form and the directory's own id alike. */
export const fromWireId = (wireId: string): string => TWO_GUIDS.exec(wireId)?.[1] ?? wireId
