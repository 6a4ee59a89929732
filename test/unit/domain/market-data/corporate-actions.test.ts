import { describe, expect, it } from '@jest/globals'
import { action, known, split } from '../portfolio/actions.ts'
import { at } from '../portfolio/scenario.ts'

describe('what is in force', () => {
  it('is one view from one action to the next, whatever else is asked for in between', () => {
    const actions = known(action(1, 100, split(2, 1)), action(2, 200, split(2, 1)))
    const present = actions.dueAt(at(250))
    expect(actions.dueAt(at(150))).not.toBe(present)
    expect(actions.dueAt(at(300))).toBe(present)
    expect(present.of('ACME').map(({ actionId }) => actionId)).toEqual([1, 2])
    expect(
      actions
        .dueAt(at(150))
        .of('ACME')
        .map(({ actionId }) => actionId),
    ).toEqual([1])
    expect([50, 150, 250].map((second) => actions.dueAt(at(second)).since)).toEqual([
      Number.NEGATIVE_INFINITY,
      at(100),
      at(200),
    ])
  })

  it('is news when it is recorded, taken back or begins, to who holds it', () => {
    const later = action(2, 200, split(2, 1))
    const taken = action(3, 50, split(2, 1), {
      instrumentId: 'OTHER',
      reversedAt: at(160),
      epoch: 4,
    })
    const actions = known(action(1, 100, split(2, 1)), later, taken)
    const isNews = (epoch: number, seen: number, now: number) => {
      const mark = { epoch, at: at(seen) }
      const of = (id: string) => actions.hasChanged(id, mark, at(now))
      return [actions.isNews(mark, at(now)), of('ACME'), of('OTHER'), of('NONE')]
    }
    expect(isNews(4, 150, 160)).toEqual([false, false, false, false])
    expect(isNews(4, 150, 200)).toEqual([true, true, false, false])
    expect(isNews(3, 150, 160)).toEqual([true, false, true, false])
    expect(isNews(0, 150, 160)).toEqual([true, true, true, false])
  })
})
