import type { ServerName } from './cases.ts'
import { type ServerProcess, startServer } from './processes.ts'

export interface LaunchOptions {
  readonly databaseUrl: string
  /** Of the service alone. */
  readonly cacheUsersMax: number
  readonly logFile: string
  /** Where a CPU profile goes when the server ends; none is taken without it. */
  readonly profileDir: string | undefined
}

/** Starts the server of a case, built code in a process of its own, and waits until it takes connections. */
export function launchServer(name: ServerName, options: LaunchOptions): Promise<ServerProcess> {
  const { databaseUrl, cacheUsersMax, logFile, profileDir } = options
  const profile = [
    '--cpu-prof',
    `--cpu-prof-dir=${profileDir}`,
    `--cpu-prof-name=${name}.cpuprofile`,
  ]
  const common = {
    nodeArguments: ['--enable-source-maps', ...(profileDir === undefined ? [] : profile)],
    logFile,
  }
  switch (name) {
    case 'empty':
      return startServer({
        ...common,
        script: 'empty-handler.js',
        argumentsFor: (port) => [`${port}`],
        environmentFor: () => ({}),
      })
    case 'plain':
      return startServer({
        ...common,
        script: 'plain-handler.js',
        argumentsFor: (port) => [`${port}`, databaseUrl],
        environmentFor: () => ({}),
      })
    case 'warm':
    case 'small':
    case 'other':
      return startServer({
        ...common,
        script: '../src/main.js',
        argumentsFor: () => [],
        environmentFor: (port) => ({
          DATABASE_URL: databaseUrl,
          STATE_CACHE_USERS_MAX: `${cacheUsersMax}`,
          BIND_ADDRESS: '127.0.0.1',
          GRPC_PORT: `${port}`,
          METRICS_PORT: '0',
          HTTP_PORT: 'off',
        }),
      })
  }
}
