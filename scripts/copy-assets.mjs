/// <reference types="node" />

// What the compiler leaves out of dist/.
import { cpSync } from 'node:fs'

cpSync('gen/descriptor-set.binpb', 'dist/gen/descriptor-set.binpb')
