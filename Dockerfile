# One image for every role of the lab; the command says which: API with the web application (default), or worker.
#   docker build -t bootlab .

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs/emulator/package.json libs/emulator/
COPY libs/lab/package.json libs/lab/
COPY apps/api/package.json apps/api/
COPY apps/worker/package.json apps/worker/
COPY apps/web/package.json apps/web/
COPY apps/cli/package.json apps/cli/
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production BOOTLAB_HOST=0.0.0.0 PORT=8080
# The C library returns what V8's compilers have freed: see apps/cli/bin/lean-malloc.mjs.
ENV MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /app
COPY --from=build --chown=node:node /app ./
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
# No init process needed: API and workers end by themselves on SIGTERM.
CMD ["node", "apps/api/dist/main.js"]
