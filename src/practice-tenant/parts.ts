import type { TenantPart } from './core/contract.ts'
import { drives } from './drives/drives.ts'
import { ews } from './ews/ews.ts'
import { outlook } from './outlook/outlook.ts'

/** The parts that make the tenant; the login host belongs to the core. One line each. */
export const parts: readonly TenantPart[] = [outlook, drives, ews]
