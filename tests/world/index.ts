export { startWorld, type World, type WorldOptions } from './world.ts'
export { HttpClient, VersionClient, type Answer, type Call } from './http-client.ts'
