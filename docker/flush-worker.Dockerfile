# syntax=docker/dockerfile:1

# Everything that must be installed is named by these manifests alone, so that a change of source
# does not install anything again.
FROM node:20-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs/nonce-core/package.json libs/nonce-core/
COPY libs/chain-adapter/package.json libs/chain-adapter/
COPY apps/api/package.json apps/api/
COPY apps/flush-worker/package.json apps/flush-worker/
COPY tools/package.json tools/

FROM manifests AS build
RUN npm ci --omit=optional --ignore-scripts
COPY tsconfig.base.json ./
COPY libs libs
COPY apps/flush-worker apps/flush-worker
RUN npx tsc -b apps/flush-worker

FROM manifests AS packages
RUN npm ci --omit=dev --omit=optional --ignore-scripts --workspace @noncekit/flush-worker

FROM node:20-slim AS runtime
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app ./
COPY --from=build /app/libs/nonce-core/dist libs/nonce-core/dist
COPY --from=build /app/libs/chain-adapter/dist libs/chain-adapter/dist
COPY --from=build /app/apps/flush-worker/dist apps/flush-worker/dist
# A volume that is mounted here takes over this owner; as root's it could not be written to.
RUN install --directory --owner=node --group=node /var/lib/noncekit
USER node
EXPOSE 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.NONCE_ADMIN_PORT || 9464}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/flush-worker/dist/main.js"]
