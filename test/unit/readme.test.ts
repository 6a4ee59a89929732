import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'

const readme = readFileSync('README.md', 'utf8')
const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>
}

describe('README.md', () => {
  it('names only npm scripts that there are', () => {
    const named = [...readme.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name)
    expect(named.length).toBeGreaterThanOrEqual(3)
    for (const name of named) expect(Object.keys(packageJson.scripts)).toContain(name)
  })
})
