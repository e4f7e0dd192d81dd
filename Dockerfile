# The one file, in an image with Deno and nothing else. docker build -t parley .
FROM denoland/deno:2.9.6 AS build
WORKDIR /source
COPY . .
RUN deno task build

FROM denoland/deno:alpine-2.9.6
RUN mkdir -p /parley/data && chown -R deno:deno /parley
USER deno
WORKDIR /parley
COPY --from=build /source/dist/chat.js .
VOLUME /parley/data
EXPOSE 8000
# BusyBox asks, which is in the image anyway: a second Deno takes ten times its time and four times its memory. Without
# the empty variable it would ask the proxy that Docker's own settings may name.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD http_proxy= wget -q -O /dev/null "http://127.0.0.1:${PORT:-8000}/healthz"
CMD ["run", "--allow-net", "--allow-env", "--allow-read=.", "--allow-write=.", "--unstable-kv", "--unstable-net", "chat.js"]
