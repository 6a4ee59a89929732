import { isMap, isNode, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml'

/**
 * The chart README's table of values, made of the comments in `values.yaml`: a commented key is a row, an
 * uncommented one a group of rows. Throws when a value is under no comment.
 */
export function valuesTable(valuesYaml: string): string {
  const { contents } = parseDocument(valuesYaml)
  if (!isMap(contents)) throw new Error('values.yaml is not a map')
  return ['| Value | Default | Meaning |', '| --- | --- | --- |', ...rows(contents, '')].join('\n')
}

function rows(map: YAMLMap, prefix: string): readonly string[] {
  return map.items.flatMap((pair, index) => {
    const path = `${prefix}${String(pair.key)}`
    const comment = commentOf(map, pair, index)
    if (comment === undefined) {
      if (isMap(pair.value)) return rows(pair.value, `${path}.`)
      throw new Error(`${path} in values.yaml has no comment`)
    }
    const value: unknown = isNode(pair.value) ? pair.value.toJSON() : pair.value
    return [`| \`${path}\` | \`${JSON.stringify(value)}\` | ${comment} |`]
  })
}

/** The comment above a key; YAML's parser gives the one above a map's first key to the map. */
function commentOf(map: YAMLMap, pair: Pair, index: number): string | undefined {
  const own = isScalar(pair.key) ? pair.key.commentBefore : undefined
  const comment = own ?? (index === 0 ? map.commentBefore : undefined)
  return comment?.trim().replaceAll(/\s*\n\s*/g, ' ')
}
