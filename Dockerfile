# syntax=docker/dockerfile:1
# `ecl serve` as an image: non-root, without the tools that build it. Its data stands in /data.
#
#   docker build -t ecl .
#   docker run --init -p 127.0.0.1:4680:4680 -v ecl-data:/data ecl
#
# Workflows of your own: -v ./machines:/workflows:ro -e ECL_MACHINES=/workflows

FROM node:24.11.1-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY machines machines
COPY projections projections
COPY src src
RUN npm run build

FROM node:24.11.1-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund && npm cache clean --force
# A peer of the package, which its user brings: so does the image. It needs no other package.
COPY --from=build /app/node_modules/xstate node_modules/xstate

FROM node:24.11.1-bookworm-slim
ENV NODE_ENV=production \
    ECL_STORE=sqlite:/data \
    ECL_DATA_FOLDER=/data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY docs docs
# A module of a user's finds `ecl`, and the same xstate and zod, wherever it is mounted.
RUN ln -s /app/node_modules /node_modules \
    && ln -s /app /app/node_modules/ecl \
    && printf '#!/bin/sh\nexec node /app/dist/src/cli/bin.js "$@"\n' > /usr/local/bin/ecl \
    && chmod 755 /usr/local/bin/ecl \
    && install -d -o node -g node -m 700 /data
USER node
WORKDIR /data
VOLUME /data
EXPOSE 4680
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=12 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4680/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["ecl"]
CMD ["serve", "--host", "0.0.0.0"]
