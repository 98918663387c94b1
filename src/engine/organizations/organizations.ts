import { notBuilt } from '#base'
import type { DirectoryGroup, DirectoryUser } from '#items'
import type { Page, PageRequest } from '#database'
import type { Principal } from '../access/principal.ts'
import type { Organization, OrganizationInput, UsedRepository } from './organization.ts'

export interface ListingRequest extends PageRequest {
  /** Part of a name or address, any letter case. */
  readonly search?: string
  /** A listing that an earlier page came from. An unknown or old one is read afresh. */
  readonly setId?: string
}

/** A page of a listing of the live tenant. Further pages with `setId` come from the same listing. */
export interface ListingPage<Item> extends Page<Item> {
  readonly setId: string
}

/** Organizations: added, changed and removed after their credentials were tried at the tenant. */
export class Organizations {
  /**
   * Errors: `invalid` naming the property, `conflict` for a tenant that is there already, `unavailable` when Microsoft
   * does not answer, `not-built` for on-premises and hybrid ones. Nothing is kept after an error.
   */
  async add(_principal: Principal, _input: OrganizationInput): Promise<Organization> {
    throw notBuilt('adding organizations')
  }
  /** Merges: what is left out stays, secrets too. Credentials are tried again. `invalid` for a change of type. */
  async update(_principal: Principal, _id: string, _input: OrganizationInput): Promise<Organization> {
    throw notBuilt('changing organizations')
  }
  /** `conflict` while one of its jobs is enabled or runs. Its disabled jobs go with it; backed-up data stays. */
  async remove(_principal: Principal, _id: string): Promise<void> {
    throw notBuilt('removing organizations')
  }
  async get(_principal: Principal, _id: string): Promise<Organization> {
    throw notBuilt('organizations')
  }
  /** By name. A tenant sees its own alone. */
  async list(_principal: Principal, _page?: PageRequest): Promise<Page<Organization>> {
    throw notBuilt('organizations')
  }
  /** The repositories that hold data of the organization. */
  async usedRepositories(_principal: Principal, _id: string): Promise<readonly UsedRepository[]> {
    throw notBuilt('used repositories')
  }
  async users(
    _principal: Principal,
    _id: string,
    _request?: ListingRequest,
  ): Promise<ListingPage<DirectoryUser>> {
    throw notBuilt('users')
  }
  async user(_principal: Principal, _id: string, _userId: string): Promise<DirectoryUser> {
    throw notBuilt('users')
  }
  async groups(
    _principal: Principal,
    _id: string,
    _request?: ListingRequest,
  ): Promise<ListingPage<DirectoryGroup>> {
    throw notBuilt('groups')
  }
  async group(_principal: Principal, _id: string, _groupId: string): Promise<DirectoryGroup> {
    throw notBuilt('groups')
  }
  /** Users only, nested groups resolved. */
  async groupMembers(
    _principal: Principal,
    _id: string,
    _groupId: string,
    _request?: ListingRequest,
  ): Promise<ListingPage<DirectoryUser>> {
    throw notBuilt('group members')
  }
}
