# syntax=docker/dockerfile:1

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY proto ./proto
COPY gen ./gen
COPY src ./src
RUN npm run build

FROM node:20-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Without the optional dependencies: the embedded PostgreSQL has no place where DATABASE_URL is given.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

# No shell and no package manager; the same Debian, and so the same libc, as above.
FROM gcr.io/distroless/nodejs20-debian12:nonroot
WORKDIR /app
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
USER 65532:65532
EXPOSE 50051 8080 50052 9464
STOPSIGNAL SIGTERM
# Most of what a call makes is gone when it is answered: a larger nursery halves what collecting it costs.
# V8's memory reducer takes it back from an idle server, and compiled code with it: the next burst pays for both anew.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=128", "--no-memory-reducer", "--enable-source-maps"]
CMD ["dist/src/main.js"]
