import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { CONFIGURATION_TABLE } from '../../src/config.ts'

const readme = readFileSync('README.md', 'utf8')
const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>
}

describe('README.md', () => {
  it('has the configuration table that the service reads by', () => {
    const rows = [...readme.matchAll(/^\| `([A-Z_]+)` +\| (\S+) +\| (.+?) +\|$/gm)].map(
      ([, name, value = '', meaning]) => ({
        name,
        default: value === '-' ? undefined : value.replaceAll('`', ''),
        meaning,
      }),
    )
    expect(rows).toEqual(CONFIGURATION_TABLE)
  })

  it('names only npm scripts that there are', () => {
    const named = [...readme.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name)
    expect(named.length).toBeGreaterThanOrEqual(3)
    for (const name of named) expect(Object.keys(packageJson.scripts)).toContain(name)
  })
})
