import { HoldfastError, invalid } from '#base'
import { expect, it } from 'vitest'
import { errorAnswer } from './errors.ts'

it('tells nothing of what was not expected but the number to find it by', () => {
  const answer = errorAnswer('v8', new Error('SELECT secret FROM /var/lib'), 'request-1')
  expect(answer).toMatchObject({ status: 500, isUnexpected: true })
  expect(answer.body).toEqual({ message: 'internal error, request request-1', errorCode: 'HttpError' })
})

it('has an error code from v7, and there only the words that v7 knows', () => {
  const error = new HoldfastError('conflict', 'is there already')
  expect(errorAnswer('v6', error, 'r').body).toEqual({ message: 'is there already' })
  expect(errorAnswer('v7', error, 'r').body).toEqual({ message: 'is there already' })
  expect(errorAnswer('v8', error, 'r').body).toEqual({
    message: 'is there already',
    errorCode: 'OperationConflict',
  })
})

it('names the property where the message does not', () => {
  const body = errorAnswer('v4', invalid('the secret is wrong', 'settings.applicationSecret'), 'r').body
  expect(body).toEqual({ message: 'settings.applicationSecret: the secret is wrong' })
})

it('says when a repeat makes sense', () => {
  const error = new HoldfastError('throttled', 'wait', { retryAfterMs: 1_500 })
  expect(errorAnswer('v4', error, 'r')).toMatchObject({ status: 429, retryAfterSeconds: 2 })
})
