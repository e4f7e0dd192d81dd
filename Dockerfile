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
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["deno", "eval", "const { ok } = await fetch(`http://127.0.0.1:${Deno.env.get('PORT') || 8000}/healthz`); Deno.exit(ok ? 0 : 1)"]
CMD ["run", "--allow-net", "--allow-env", "--allow-read=.", "--allow-write=.", "--unstable-kv", "--unstable-net", "chat.js"]
