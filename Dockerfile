# The program alone, in a small image, as a user without rights.
#
#   docker build --tag methodical .
#   docker run --rm --volume "$PWD/examples/shop:/data" --user "$(id -u)" --publish 127.0.0.1:8080:8080 methodical
#
# docs/OPERATING.md says how it is put on the internet.

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --locked --release --package methodical \
 && strip target/release/methodical

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin methodical \
 && install --directory --owner methodical --mode 0700 /data
COPY --from=build /source/target/release/methodical /usr/local/bin/methodical
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["methodical"]
CMD ["serve", "/data", "--listen", "0.0.0.0:8080"]
